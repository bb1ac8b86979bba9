// What the interface tells of devices that run out of memory, fail, compute no numbers or hang: the
// whole of it, from the route to the seam of the backends.
#include <fmt/format.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <atomic>
#include <chrono>
#include <functional>
#include <future>
#include <limits>
#include <memory>
#include <nlohmann/json.hpp>
#include <string>
#include <thread>
#include <utility>
#include <vector>

#include "api/service.h"
#include "embedding/engine.h"
#include "engine/fake_backend.h"
#include "engine/vectors.h"

namespace embedding::api {
namespace {

using nlohmann::json;
using testing::HasSubstr;

class DevicesTest : public testing::Test {
 protected:
  void Start(std::vector<FakeBackend::Compute> devices) {
    EmbedderOptions options;
    options.model_name = "org/fake";
    options.device_timeout = std::chrono::milliseconds(1);
    for (size_t i = 0; i < devices.size(); ++i) {
      options.backends.push_back(std::make_shared<FakeBackend>(
          Limits{.max_sequences = 1}, std::move(devices[i]), "fake:" + std::to_string(i)));
    }
    embedder_ = Load(kTinyBgeM3, options);
    service_.Start({embedder_.get()});
  }

  std::future<Response> Begin(const std::string& method, const std::string& target,
                              std::string body = "") {
    auto answer = std::make_shared<std::promise<Response>>();
    service_.handler()({method, target, std::move(body), "id-1"},
                       [answer](Response response) { answer->set_value(std::move(response)); });
    return answer->get_future();
  }
  Response Get(const std::string& target) { return Begin("GET", target).get(); }
  Response Embed(const std::string& text) {
    return Begin("POST", "/embed", json{{"texts", text}}.dump()).get();
  }
  json Health(int status) {
    const Response response = Get("/readyz");
    EXPECT_EQ(response.status, status) << response.body;
    return json::parse(response.body);
  }

  Service service_{{.model_name = "org/fake"}, [](const std::function<void()>& task) { task(); }};
  std::unique_ptr<Embedder> embedder_;
};

bool IsCheck(const Batch& batch) { return !batch.wanted[0].dense; }

TEST_F(DevicesTest, OneWithoutMemoryForATextRefusesThatTextAndServes) {
  Start({[count = CountingTokens()](const Batch& batch, BatchOutputs& outputs) mutable {
    if (batch.tokens() > 5) return Status(Error{ErrorCode::kOutOfMemory, "no room", {}});
    return count(batch, outputs);
  }});
  const Response refused = Embed("a b c d e f");
  EXPECT_EQ(refused.status, 503);
  EXPECT_THAT(refused.body, HasSubstr("not enough memory for a text of 8 tokens"));
  EXPECT_EQ(Embed("a").status, 200);
  EXPECT_EQ(Health(200).at("status"), "healthy");
}

TEST_F(DevicesTest, OneThatFailsIsToldUntilItWorksAgain) {
  std::atomic<bool> mended = false;
  Start({[&, count = CountingTokens()](const Batch& batch, BatchOutputs& outputs) mutable {
    if (!mended) return Status(Error{ErrorCode::kInternal, "the device is on fire", {}});
    return IsCheck(batch) ? Status() : count(batch, outputs);
  }});
  EXPECT_EQ(Health(200).count("devices"), 0U);
  EXPECT_EQ(Embed("a").status, 500);
  const json health = Health(503);
  EXPECT_EQ(health.at("status"), "unhealthy");
  EXPECT_EQ(health.at("error"), "the device is on fire");
  EXPECT_EQ(health.at("devices"), json::array({{{"model", "org/fake"},
                                                {"device", "fake:0"},
                                                {"status", "failed"},
                                                {"error", "the device is on fire"}}}));
  EXPECT_THAT(Get("/metrics").body,
              HasSubstr(R"(embedding_device_up{model="org/fake",device="fake:0",replica="0"} 0)"));
  mended = true;
  EXPECT_EQ(Embed("a").status, 200);
  EXPECT_EQ(Health(200).count("devices"), 0U);
}

TEST_F(DevicesTest, OneThatComputesNoNumbersAnswersNone) {
  const std::vector<float> nan(128, std::numeric_limits<float>::quiet_NaN());
  Start({[&](const Batch& batch, BatchOutputs& outputs) {
    for (size_t s = 0; s < batch.sequences(); ++s) outputs[s].dense = nan;
    return Status();
  }});
  const Response answer = Embed("a");
  EXPECT_EQ(answer.status, 500);
  EXPECT_EQ(answer.body.find("nan"), std::string::npos);
  EXPECT_EQ(Health(200).at("status"), "healthy");
}

TEST_F(DevicesTest, OneThatHangsIsToldWithSinceWhenAndTheServerIsNotReady) {
  FirstBatchHangs hang;
  Start({[&, count = CountingTokens()](const Batch& batch, BatchOutputs& outputs) mutable {
    hang.Wait();
    return count(batch, outputs);
  }});
  auto answer = Begin("POST", "/embed", R"({"texts":["a b"]})");
  hang.AwaitHang();
  while (Get("/readyz").status == 200) std::this_thread::yield();
  const json health = Health(503);
  EXPECT_EQ(health.at("status"), "unhealthy");
  EXPECT_THAT(health.at("error"), HasSubstr("the device fake:0 has not answered for"));
  const json device = health.at("devices").at(0);
  EXPECT_EQ(device.at("status"), "hanging");
  EXPECT_THAT(device.at("since"), testing::MatchesRegex("20..-..-..T..:..:..Z"));
  const std::string metrics = Get("/metrics").body;
  EXPECT_THAT(metrics,
              HasSubstr(R"(embedding_device_up{model="org/fake",device="fake:0",replica="0"} 0)"));
  EXPECT_EQ(Get("/livez").status, 200);
  hang.Release();
  EXPECT_EQ(answer.get().status, 200);
  while (Get("/readyz").status != 200) std::this_thread::yield();
}

TEST_F(DevicesTest, OfSeveralEachIsToldAndOneThatWorksIsEnough) {
  FirstBatchHangs hang;
  const auto device = [&, count = CountingTokens()](const Batch& batch,
                                                    BatchOutputs& outputs) mutable {
    hang.Wait();
    return count(batch, outputs);
  };
  Start({device, device});
  EXPECT_EQ(Health(200).at("devices").size(), 2U);
  auto answer = Begin("POST", "/embed", R"({"texts":"a"})");
  hang.AwaitHang();  // whichever of them has taken it; the other one has nothing to do
  const auto is_hanging = [&](size_t i) {
    return Health(200).at("devices").at(i).at("status") == "hanging";
  };
  while (!is_hanging(0) && !is_hanging(1)) std::this_thread::yield();
  const size_t hanging = is_hanging(0) ? 0 : 1;
  EXPECT_EQ(Embed("a b c").status, 200);
  const json health = Health(200);
  EXPECT_EQ(health.at("status"), "healthy");
  EXPECT_EQ(health.at("device"), "fake:0, fake:1");
  EXPECT_EQ(health.at("devices").at(1 - hanging).at("status"), "healthy");
  const json info = json::parse(Get("/info").body);
  EXPECT_EQ(info.at("models").at(0).at("replicas"), 2);
  const std::string metrics = Get("/metrics").body;
  for (size_t i = 0; i < 2; ++i) {
    const std::string labels =
        fmt::format(R"({{model="org/fake",device="fake:{0}",replica="{0}"}})", i);
    EXPECT_THAT(metrics,
                HasSubstr(fmt::format("embedding_device_up{} {}\n", labels, i == hanging ? 0 : 1)));
    EXPECT_THAT(metrics, HasSubstr(fmt::format("embedding_device_batches_total{} 1\n", labels)));
  }
  hang.Release();
  EXPECT_EQ(answer.get().status, 200);
}

}  // namespace
}  // namespace embedding::api
