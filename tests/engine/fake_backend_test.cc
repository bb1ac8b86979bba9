// The engine above the seam: what it asks of a session, whatever computes.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <future>
#include <memory>

#include <string>
#include <vector>

#include "embedding/engine.h"
#include "engine/fake_backend.h"
#include "engine/vectors.h"

namespace embedding {
namespace {

using testing::ElementsAre;

std::unique_ptr<Embedder> LoadOn(Limits limits, FakeBackend::Compute compute,
                                 const std::string& model = kTinyBgeM3) {
  return Load(model, {.backends = {std::make_shared<FakeBackend>(limits, std::move(compute))}});
}

size_t Tokens(const Batch& batch, size_t s) { return batch.offsets[s + 1] - batch.offsets[s]; }

EmbedRequest TextsOfWords(const std::vector<size_t>& counts) {
  EmbedRequest request;
  request.normalize = false;
  for (size_t i = 0; i < counts.size(); ++i) {
    std::string text = std::to_string(i);  // equal texts would be one sequence
    for (size_t k = 0; k < counts[i]; ++k) text += " word";
    request.texts.push_back(text);
  }
  return request;
}

TEST(SessionLimits, BatchesKeepThem) {
  constexpr size_t kMaxTokens = 60;
  struct Shape {
    size_t sequences, longest;
  };
  std::vector<Shape> shapes;
  CountingTokens count;
  const auto embedder = LoadOn({.max_tokens = kMaxTokens, .max_sequences = 3, .padded = true},
                               [&](const Batch& batch, BatchOutputs& outputs) {
                                 size_t longest = 0;
                                 for (size_t s = 0; s < batch.sequences(); ++s)
                                   longest = std::max(longest, Tokens(batch, s));
                                 shapes.push_back({batch.sequences(), longest});
                                 return count(batch, outputs);
                               });
  const auto response =
      embedder->Embed(TextsOfWords({1, 1, 1, 1, 30, 1, 2, 80, 3, 3, 3, 3, 3, 25, 25, 1}));
  ASSERT_TRUE(response.ok()) << response.error().message;
  size_t texts = 0;
  bool any_full = false;
  for (const Shape& shape : shapes) {
    texts += shape.sequences;
    any_full |= shape.sequences == 3;
    EXPECT_LE(shape.sequences, 3U);
    if (shape.sequences > 1) {
      EXPECT_LE(shape.sequences * shape.longest, kMaxTokens);
    }
  }
  EXPECT_EQ(texts, 16U);
  EXPECT_TRUE(any_full);
  // Each text has its own vector, however they were cut.
  EXPECT_GT(response->embedding(7)[0], response->embedding(4)[0]);
  EXPECT_EQ(response->embedding(0)[0], response->embedding(3)[0]);
}

TEST(SessionLimits, TheOptionStandsInPlaceOfWhatTheDeviceTakes) {
  size_t batches = 0;
  CountingTokens count;
  const auto compute = [&](const Batch& batch, BatchOutputs& outputs) {
    ++batches;
    return count(batch, outputs);
  };
  const auto embedder = Load(
      kTinyBgeM3, {.backends = {std::make_shared<FakeBackend>(Limits{.max_tokens = 1}, compute)},
                   .max_batch_tokens = 1000});
  EXPECT_EQ(embedder->info().max_batch_tokens, 1000U);
  ASSERT_TRUE(embedder->Embed(TextsOfWords({1, 1, 1})).ok());
  EXPECT_EQ(batches, 1U);
}

TEST(FakeSession, InfoTellsOfTheDevice) {
  const auto embedder = LoadOn({.max_tokens = 7}, CountingTokens());
  EXPECT_EQ(embedder->info().device, "fake");
  EXPECT_EQ(embedder->info().dtype, "f64");
  EXPECT_EQ(embedder->info().max_batch_tokens, 7U);
  EXPECT_EQ(embedder->info().colbert_dimension, 128U);
}

TEST(FakeSession, EqualTextsAreComputedOnceForAllThatAnybodyWants) {
  std::vector<size_t> sequences;
  CountingTokens count;
  const auto embedder = LoadOn({}, [&](const Batch& batch, BatchOutputs& outputs) {
    sequences.push_back(batch.sequences());
    EXPECT_TRUE(batch.wanted[0].dense);
    return count(batch, outputs);
  });
  EmbedRequest request;
  request.texts = {"same", "same", "other", " same "};
  ASSERT_TRUE(embedder->Embed(request).ok());
  EXPECT_THAT(sequences, ElementsAre(2));
}

TEST(FakeSession, EachTextGetsWhatItsHeadsGave) {
  const std::vector<float> tokens(5 * 128, 0.5F);
  const auto embedder = LoadOn({}, [&](const Batch& batch, BatchOutputs& outputs) -> Status {
    EXPECT_FALSE(batch.wanted[0].dense);
    EXPECT_TRUE(batch.wanted[0].lexical_weights && batch.wanted[0].colbert_vecs &&
                batch.wanted[0].token_embeddings);
    for (SequenceOutputs& output : outputs) {
      output.lexical_weights = {{7, 0.25F}, {3, 2.0F}};
      output.colbert_vecs = std::span(tokens).first(256);
      output.token_embeddings = tokens;
    }
    return {};
  });
  EmbedRequest request;
  request.texts = {"a text", "another"};
  request.outputs = {
      .dense = false, .lexical_weights = true, .colbert_vecs = true, .token_embeddings = true};
  const auto response = embedder->Embed(request);
  ASSERT_TRUE(response.ok()) << response.error().message;
  for (size_t i = 0; i < 2; ++i) {
    ASSERT_EQ(response->lexical_weights[i].size(), 2U);
    EXPECT_EQ(response->lexical_weights[i][0].id, 7);
    EXPECT_EQ(response->lexical_weights[i][1].weight, 2.0F);
    EXPECT_EQ(response->colbert_vecs[i].size(), 256U);
    EXPECT_EQ(response->token_embeddings[i].size(), tokens.size());
  }
}

TEST(FakeSession, AFailureIsToldAndMendedByTheNextBatch) {
  bool fails = true;
  CountingTokens count;
  const auto embedder = LoadOn({}, [&](const Batch& batch, BatchOutputs& outputs) -> Status {
    if (fails) return Error{ErrorCode::kInternal, "the device is on fire", {}};
    return count(batch, outputs);
  });
  const auto failed = embedder->Embed(TextsOfWords({1}));
  ASSERT_FALSE(failed.ok());
  EXPECT_EQ(failed.error().message, "the device is on fire");
  EXPECT_EQ(embedder->health().error().message, "the device is on fire");
  fails = false;
  EXPECT_TRUE(embedder->Embed(TextsOfWords({1})).ok());
  EXPECT_TRUE(embedder->health().ok());
}

class Observer : public EngineObserver {
 public:
  void OnText(size_t tokens) noexcept override { lengths.push_back(tokens); }
  void OnBatch(size_t texts, size_t tokens) noexcept override {
    batches.emplace_back(texts, tokens);
  }
  void OnQueue(size_t texts) noexcept override { queue.push_back(texts); }

  std::vector<size_t> lengths;
  std::vector<std::pair<size_t, size_t>> batches;
  std::vector<size_t> queue;
};

TEST(FakeSession, TheObserverIsToldOfBatchesAndTheQueue) {
  Observer observer;
  auto embedder = Load(
      kTinyBgeM3,
      {.backends = {std::make_shared<FakeBackend>(Limits{.max_sequences = 2}, CountingTokens())},
       .observer = &observer});
  const auto response = embedder->Embed(TextsOfWords({1, 1, 1}));
  embedder.reset();
  ASSERT_EQ(observer.batches.size(), 2U);
  EXPECT_EQ(observer.batches[0].first, 2U);
  EXPECT_EQ(observer.batches[1].first, 1U);
  EXPECT_EQ(observer.batches[0].second + observer.batches[1].second, response->prompt_tokens);
  EXPECT_EQ(observer.lengths.size(), 3U);
  EXPECT_EQ(observer.lengths[0] + observer.lengths[1] + observer.lengths[2],
            response->prompt_tokens);
  EXPECT_THAT(observer.queue, ElementsAre(3, 1, 0));
}

// A second device beside the CPU's: while it computes, and does not end before the CPU has, the CPU
// computes too.
TEST(Backends, TwoComputeAtTheSameTime) {
  std::promise<void> begun;
  std::promise<void> cpu_done;
  CountingTokens count;
  const auto other = LoadOn({}, [&](const Batch& batch, BatchOutputs& outputs) {
    begun.set_value();
    cpu_done.get_future().wait();
    return count(batch, outputs);
  });
  const auto cpu = Load(kTinyBgeM3);
  std::promise<Result<EmbedResponse>> answer;
  other->EmbedAsync(TextsOfWords({1}),
                    [&](Result<EmbedResponse> result) { answer.set_value(std::move(result)); });
  begun.get_future().wait();
  EXPECT_TRUE(cpu->Embed(TextsOfWords({1})).ok());
  cpu_done.set_value();
  EXPECT_TRUE(answer.get_future().get().ok());
}

TEST(Backends, OneServesSeveralModels) {
  const auto backend = OpenBackend({.threads = 2});
  ASSERT_TRUE(backend.ok());
  const auto one = Load(kTinyBgeM3, {.backends = {*backend}});
  const auto other = Load(kMiniLm, {.backends = {*backend}});
  const auto of_one = one->Embed(TextsOfWords({3}));
  const auto of_other = other->Embed(TextsOfWords({3}));
  EXPECT_EQ(of_one->dimension, 128U);
  EXPECT_EQ(of_other->dimension, 384U);
}

TEST(Backends, ADeviceThatIsNotThereIsRefusedByName) {
  const auto backend = OpenBackend({.device = "abacus"});
  ASSERT_FALSE(backend.ok());
  EXPECT_EQ(backend.error().code, ErrorCode::kDeviceUnavailable);
  EXPECT_TRUE(backend.error().message.starts_with(
      "there is no device \"abacus\" in this build; there are auto, "));
  EXPECT_TRUE(backend.error().message.ends_with(", cpu"));
  EXPECT_FALSE(OpenBackend({.device = "cpu:1"}).ok());  // there is one
}

}  // namespace
}  // namespace embedding
