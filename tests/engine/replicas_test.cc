// Several devices that take batches from one queue.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <atomic>
#include <chrono>
#include <cstddef>
#include <future>
#include <latch>
#include <memory>
#include <string>
#include <thread>
#include <utility>
#include <vector>

#include "embedding/engine.h"
#include "engine/fake_backend.h"
#include "engine/vectors.h"

namespace embedding {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;

// So that a request of several texts is several batches.
constexpr Limits kOneText = {.max_sequences = 1};

std::shared_ptr<Backend> Device(std::string name, FakeBackend::Compute compute) {
  return std::make_shared<FakeBackend>(kOneText, std::move(compute), std::move(name));
}

std::unique_ptr<Embedder> LoadOn(std::vector<std::shared_ptr<Backend>> devices,
                                 std::chrono::milliseconds timeout = std::chrono::minutes(2)) {
  return Load(kTinyBgeM3, {.backends = std::move(devices), .device_timeout = timeout});
}

// Text i has first + i words and so two tokens more.
EmbedRequest Texts(size_t count, size_t first = 1) {
  EmbedRequest request;
  request.normalize = false;
  for (size_t i = 0; i < count; ++i) {
    std::string text;
    for (size_t k = 0; k < first + i; ++k) text += "a ";
    request.texts.push_back(text);
  }
  return request;
}

// Whether each text has the vector of its own length.
void ExpectRight(const Result<EmbedResponse>& response, size_t count, size_t first = 1) {
  ASSERT_TRUE(response.ok()) << response.error().message;
  for (size_t i = 0; i < count; ++i) {
    EXPECT_EQ(response->embedding(i)[0], static_cast<float>(first + i + 2)) << i;
  }
}

std::future<Result<EmbedResponse>> Ask(Embedder& embedder, const EmbedRequest& request) {
  auto answer = std::make_shared<std::promise<Result<EmbedResponse>>>();
  embedder.EmbedAsync(
      request, [answer](Result<EmbedResponse> result) { answer->set_value(std::move(result)); });
  return answer->get_future();
}

// Neither device's first batch ends before the other's has begun.
TEST(ReplicasTest, TwoDevicesComputeTextsOfOneRequestAtTheSameTime) {
  std::latch both(2);
  const auto device = [&](const std::string& name) {
    return Device(name, [&both, first = true, count = CountingTokens()](
                            const Batch& batch, BatchOutputs& outputs) mutable {
      if (std::exchange(first, false)) both.arrive_and_wait();
      return count(batch, outputs);
    });
  };
  const auto embedder = LoadOn({device("fake:0"), device("fake:1")});
  ExpectRight(embedder->Embed(Texts(20)), 20);
  EXPECT_EQ(embedder->info().device, "fake:0, fake:1");
  EXPECT_EQ(embedder->info().replicas, 2U);
  const std::vector<DeviceState> states = embedder->devices();
  ASSERT_EQ(states.size(), 2U);
  EXPECT_EQ(states[0].device, "fake:0");
  EXPECT_EQ(states[1].device, "fake:1");
  EXPECT_EQ(states[0].texts + states[1].texts, 20U);
  EXPECT_EQ(states[0].tokens + states[1].tokens, 20U * 21 / 2 + 20 * 2);
  EXPECT_GE(states[0].batches, 1U);
  EXPECT_GE(states[1].batches, 1U);
}

TEST(ReplicasTest, EveryRequestGetsItsOwnResults) {
  const auto embedder =
      LoadOn({Device("fake:0", CountingTokens()), Device("fake:1", CountingTokens()),
              Device("fake:2", CountingTokens())});
  std::vector<std::thread> clients;
  for (size_t client = 1; client <= 4; ++client) {
    clients.emplace_back([&, client] {
      for (int i = 0; i < 25; ++i) ExpectRight(embedder->Embed(Texts(7, client)), 7, client);
    });
  }
  for (std::thread& client : clients) client.join();
}

// A device that fails at once would otherwise take all that waits, as fast as it fails.
TEST(ReplicasTest, ADeviceThatFailsGetsNothingWhileAnotherWorks) {
  std::atomic<size_t> given = 0;
  std::atomic<bool> mended = false;
  const auto broken = Device(
      "broken", [&, count = CountingTokens()](const Batch& batch, BatchOutputs& outputs) mutable {
        // The check that follows a failure asks for no dense vector.
        const bool is_check = !batch.wanted[0].dense;
        if (!is_check) ++given;
        if (!mended) return Status(Error{ErrorCode::kInternal, "the device is on fire", {}});
        if (is_check) return Status();
        return count(batch, outputs);
      });
  const auto sound = Device("sound", [&, first = true, count = CountingTokens()](
                                         const Batch& batch, BatchOutputs& outputs) mutable {
    // Until the other has got its one: which of the two is first nobody knows.
    if (std::exchange(first, false)) {
      while (given == 0) std::this_thread::yield();
    }
    return count(batch, outputs);
  });
  const auto embedder = LoadOn({broken, sound});
  const auto failed = embedder->Embed(Texts(40));
  ASSERT_FALSE(failed.ok());  // the text of the one batch
  EXPECT_EQ(failed.error().message, "the device is on fire");
  for (size_t i = 0; i < 50; ++i) ExpectRight(embedder->Embed(Texts(3)), 3);
  EXPECT_EQ(given, 1U);
  EXPECT_TRUE(embedder->health().ok());
  EXPECT_EQ(embedder->devices()[0].status.error().message, "the device is on fire");
  EXPECT_TRUE(embedder->devices()[1].status.ok());

  mended = true;
  while (!embedder->devices()[0].status.ok()) std::this_thread::yield();
  while (given == 1) ExpectRight(embedder->Embed(Texts(3)), 3);
}

TEST(ReplicasTest, WhereAllHaveFailedWhateverComesIsTried) {
  std::atomic<bool> mended = false;
  const auto device = [&](const std::string& name) {
    return Device(name,
                  [&, count = CountingTokens()](const Batch& batch, BatchOutputs& outputs) mutable {
                    if (!mended)
                      return Status(Error{ErrorCode::kInternal, "the device is on fire", {}});
                    return count(batch, outputs);
                  });
  };
  const auto embedder = LoadOn({device("fake:0"), device("fake:1")});
  while (embedder->health().ok()) EXPECT_FALSE(embedder->Embed(Texts(1)).ok());
  EXPECT_EQ(embedder->health().error().message, "the device is on fire");
  mended = true;
  ExpectRight(embedder->Embed(Texts(1)), 1);
  EXPECT_TRUE(embedder->health().ok());
}

TEST(ReplicasTest, WhileOneHangsTheOthersComputeAndTheEngineComesRound) {
  FirstBatchHangs hang;
  const auto hanging = Device(
      "hanging", [&, count = CountingTokens()](const Batch& batch, BatchOutputs& outputs) mutable {
        hang.Wait();
        return count(batch, outputs);
      });
  const auto sound = Device("sound", [&, first = true, count = CountingTokens()](
                                         const Batch& batch, BatchOutputs& outputs) mutable {
    if (std::exchange(first, false)) hang.AwaitHang();
    return count(batch, outputs);
  });
  const auto embedder = LoadOn({hanging, sound}, std::chrono::milliseconds(1));
  auto answer = Ask(*embedder, Texts(2));
  hang.AwaitHang();  // with a text of this request, not of the next
  for (size_t i = 0; i < 10; ++i) ExpectRight(embedder->Embed(Texts(3)), 3);
  while (!embedder->devices()[0].silent_since) std::this_thread::yield();
  EXPECT_TRUE(embedder->health().ok());
  const DeviceState state = embedder->devices()[0];
  EXPECT_GE(state.busy, std::chrono::milliseconds(1));
  EXPECT_EQ(state.status.error().code, ErrorCode::kUnavailable);
  const uint64_t turns = embedder->turns();
  while (embedder->turns() == turns) std::this_thread::yield();
  hang.Release();
  ExpectRight(answer.get(), 2);
  while (embedder->devices()[0].busy.count() > 0) std::this_thread::yield();
  EXPECT_FALSE(embedder->devices()[0].silent_since);
  EXPECT_TRUE(embedder->devices()[0].status.ok());
}

TEST(ReplicasTest, ADeviceThatDoesNotAnswerIsToldWithSinceWhen) {
  FirstBatchHangs hang;
  const auto embedder = LoadOn(
      {Device("fake:7",
              [&, count = CountingTokens()](const Batch& batch, BatchOutputs& outputs) mutable {
                hang.Wait();
                return count(batch, outputs);
              })},
      std::chrono::milliseconds(1));
  auto answer = Ask(*embedder, Texts(1, 5));
  hang.AwaitHang();
  while (embedder->health().ok()) std::this_thread::yield();
  EXPECT_THAT(embedder->health().error().message, HasSubstr("the device fake:7 has not answered"));
  EXPECT_THAT(embedder->health().error().message, HasSubstr("1 texts of 7 tokens"));
  const uint64_t turns = embedder->turns();
  for (int i = 0; i < 100; ++i) EXPECT_EQ(embedder->turns(), turns);  // which the watchdog sees
  hang.Release();
  ExpectRight(answer.get(), 1, 5);
  while (!embedder->health().ok()) std::this_thread::yield();
}

TEST(ReplicasTest, WithoutATimeoutNoDeviceIsTakenForOneThatHangs) {
  FirstBatchHangs hang;
  const auto embedder = LoadOn(
      {Device("slow",
              [&, count = CountingTokens()](const Batch& batch, BatchOutputs& outputs) mutable {
                hang.Wait();
                return count(batch, outputs);
              })},
      std::chrono::milliseconds(0));
  auto answer = Ask(*embedder, Texts(1));
  hang.AwaitHang();
  while (embedder->devices()[0].busy < std::chrono::milliseconds(5)) std::this_thread::yield();
  EXPECT_TRUE(embedder->health().ok());
  hang.Release();
  ExpectRight(answer.get(), 1);
}

// What is computed is answered, and what waits is refused: nothing is lost.
TEST(ReplicasTest, DestructionAnswersWhatWaits) {
  std::latch both(3);  // the third is the test
  std::promise<void> released;
  const std::shared_future<void> release = released.get_future().share();
  const auto device = [&](const std::string& name) {
    return Device(name, [&both, release, first = true, count = CountingTokens()](
                            const Batch& batch, BatchOutputs& outputs) mutable {
      if (std::exchange(first, false)) both.arrive_and_wait();
      release.wait();
      return count(batch, outputs);
    });
  };
  auto embedder = LoadOn({device("fake:0"), device("fake:1")});
  std::vector<std::future<Result<EmbedResponse>>> answers;
  for (size_t i = 0; i < 10; ++i) answers.push_back(Ask(*embedder, Texts(1, i + 1)));
  both.arrive_and_wait();
  std::thread end([&] { embedder.reset(); });
  released.set_value();
  end.join();
  size_t computed = 0;
  for (size_t i = 0; i < answers.size(); ++i) {
    const auto answer = answers[i].get();
    if (answer.ok()) {
      ++computed;
      ExpectRight(answer, 1, i + 1);
    } else {
      EXPECT_EQ(answer.error().code, ErrorCode::kUnavailable);
    }
  }
  EXPECT_GE(computed, 2U);
}

TEST(ReplicasTest, ACpusReplicasShareItsThreadsAndComputeTheSame) {
  const auto backends = OpenBackends({.device = "cpu", .threads = 3, .replicas = 2});
  ASSERT_TRUE(backends.ok()) << backends.error().message;
  EXPECT_EQ(backends->size(), 2U);
  const auto two = Load(kTinyBgeM3, {.backends = *backends, .max_batch_tokens = 10});
  const auto one = Load(kTinyBgeM3, {.device = {.threads = 1}});
  EXPECT_EQ(two->info().device, "cpu");
  const auto of_two = two->Embed(Texts(30));
  const auto of_one = one->Embed(Texts(30));
  ASSERT_TRUE(of_two.ok() && of_one.ok());
  EXPECT_EQ(of_two->embeddings, of_one->embeddings);  // in every bit
}

TEST(ReplicasTest, MoreThanThereIsRoomForAreRefused) {
  const auto threads = OpenBackends({.device = "cpu", .threads = 2, .replicas = 3});
  ASSERT_FALSE(threads.ok());
  EXPECT_EQ(threads.error().code, ErrorCode::kDeviceUnavailable);
  EXPECT_THAT(threads.error().message, HasSubstr("--replicas 3: there are 2 computing threads"));
  EXPECT_FALSE(OpenBackends({.device = "abacus", .replicas = 2}).ok());
}

}  // namespace
}  // namespace embedding
