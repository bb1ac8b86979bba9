#include "api/metrics.h"

#include <gtest/gtest.h>

#include <chrono>
#include <string>
#include <thread>
#include <vector>

#include "api/service_fixture.h"

namespace embedding::api {
namespace {

// The value of a line of the text, as it stands there; "" if there is no such line.
std::string ValueOf(const std::string& text, const std::string& name) {
  const size_t at = ('\n' + text).find('\n' + name + ' ');
  if (at == std::string::npos) return "";
  const size_t begin = at + name.size() + 1;
  return text.substr(begin, text.find('\n', begin) - begin);
}

TEST(MetricsTest, AnswersAreCountedByPathAndStatus) {
  Metrics metrics;
  metrics.CountAnswer("/embed", {.status = 200}, std::chrono::milliseconds(250));
  metrics.CountAnswer("/embed", {.status = 200}, std::chrono::milliseconds(250));
  metrics.CountAnswer("/embed", {.status = 422}, std::chrono::seconds(0));
  metrics.CountAnswer("", {.status = 404}, std::chrono::seconds(0));
  const std::string text = metrics.Text();
  EXPECT_EQ(ValueOf(text, R"(te_request_count{path="/embed",status="200"})"), "2");
  EXPECT_EQ(ValueOf(text, R"(te_request_count{path="/embed",status="422"})"), "1");
  EXPECT_EQ(ValueOf(text, R"(te_request_count{path="",status="404"})"), "1");
  EXPECT_EQ(ValueOf(text, R"(te_request_success{path="/embed"})"), "2");
  EXPECT_EQ(ValueOf(text, R"(te_request_failure{err="validation",path="/embed"})"), "1");
  EXPECT_EQ(ValueOf(text, R"(te_request_duration_count{path="/embed",status="200"})"), "2");
  EXPECT_EQ(ValueOf(text, R"(te_request_duration_sum{path="/embed",status="200"})"), "0.5");
  EXPECT_EQ(ValueOf(text, R"(te_request_duration_bucket{path="/embed",status="200",le="+Inf"})"),
            "2");
}

TEST(MetricsTest, WhatEachKeyWasAnsweredIsCounted) {
  Metrics metrics;
  const auto answer = [&](const std::string& key, size_t texts, size_t tokens) {
    metrics.CountAnswer("/embed",
                        {.client = {.key_name = key},
                         .cost = {.texts = texts, .truncated_texts = 1, .tokens = tokens}},
                        std::chrono::seconds(0));
  };
  answer("alice", 2, 30);
  answer("alice", 1, 5);
  answer("", 4, 7);
  metrics.CountLimited("alice", "tokens");
  const std::string text = metrics.Text();
  EXPECT_EQ(ValueOf(text, R"(embedding_requests_total{key="alice"})"), "2");
  EXPECT_EQ(ValueOf(text, R"(embedding_texts_total{key="alice"})"), "3");
  EXPECT_EQ(ValueOf(text, R"(embedding_tokens_total{key="alice"})"), "35");
  EXPECT_EQ(ValueOf(text, R"(embedding_tokens_total{key=""})"), "7");
  EXPECT_EQ(ValueOf(text, R"(embedding_rate_limited_total{key="alice",limit="tokens"})"), "1");
  EXPECT_EQ(ValueOf(text, "embedding_truncated_texts_total"), "3");
}

TEST(MetricsTest, FailuresAreNamedAsInTextEmbeddingsInference) {
  Metrics metrics;
  const std::vector<std::pair<int, std::string>> kinds = {
      {400, "validation"}, {401, "unauthorized"}, {405, "validation"}, {408, "timeout"},
      {413, "validation"}, {424, "model_type"},   {429, "overloaded"}, {499, "dropped"},
      {500, "inference"},  {501, "validation"},   {503, "unhealthy"}};
  for (const auto& [status, kind] : kinds) {
    const std::string path = '/' + std::to_string(status);
    metrics.CountAnswer(path, {.status = status}, std::chrono::seconds(0));
    EXPECT_EQ(
        ValueOf(metrics.Text(), "te_request_failure{err=\"" + kind + "\",path=\"" + path + "\"}"),
        "1");
  }
}

TEST(MetricsTest, WhatWasComputedIsMeasuredInSecondsTextsAndTokens) {
  Metrics metrics;
  metrics.CountComputed({.tokenization = std::chrono::milliseconds(125),
                         .queue = std::chrono::milliseconds(250),
                         .inference = std::chrono::milliseconds(500)},
                        3, 700);
  metrics.ObserverOf("m").OnText(5);
  const std::string text = metrics.Text();
  EXPECT_EQ(ValueOf(text, "te_request_tokenization_duration_sum"), "0.125");
  EXPECT_EQ(ValueOf(text, "te_request_queue_duration_sum"), "0.25");
  EXPECT_EQ(ValueOf(text, "te_request_inference_duration_sum"), "0.5");
  EXPECT_EQ(ValueOf(text, "embedding_request_texts_sum"), "3");
  EXPECT_EQ(ValueOf(text, R"(embedding_request_tokens_bucket{le="512"})"), "0");
  EXPECT_EQ(ValueOf(text, R"(embedding_request_tokens_bucket{le="1024"})"), "1");
  EXPECT_EQ(ValueOf(text, R"(te_request_input_length_bucket{le="4"})"), "0");
  EXPECT_EQ(ValueOf(text, R"(te_request_input_length_bucket{le="8"})"), "1");
}

TEST(MetricsTest, BatchesAndQueuesAreEachModels) {
  Metrics metrics;
  EngineObserver& a = metrics.ObserverOf("a");
  EngineObserver& b = metrics.ObserverOf("b");
  EXPECT_EQ(&metrics.ObserverOf("a"), &a);
  a.OnBatch(3, 60);
  a.OnQueue(7);
  b.OnQueue(2);
  const std::string text = metrics.Text();
  EXPECT_EQ(ValueOf(text, R"(te_batch_next_size_sum{model="a"})"), "3");
  EXPECT_EQ(ValueOf(text, R"(te_batch_next_tokens_sum{model="a"})"), "60");
  EXPECT_EQ(ValueOf(text, R"(te_batch_next_size_count{model="b"})"), "0");
  EXPECT_EQ(ValueOf(text, R"(te_queue_size{model="a"})"), "7");
  EXPECT_EQ(ValueOf(text, R"(te_queue_size{model="b"})"), "2");
}

TEST(MetricsTest, CountsOfSeveralThreadsAddUp) {
  Metrics metrics;
  constexpr int kThreads = 4;
  constexpr int kEach = 500;
  std::vector<std::thread> threads;
  for (int t = 0; t < kThreads; ++t) {
    threads.emplace_back([&metrics, t] {
      EngineObserver& observer = metrics.ObserverOf("m");
      for (int i = 0; i < kEach; ++i) {
        metrics.CountAnswer(t % 2 == 0 ? "/a" : "/b", {.status = 200}, std::chrono::seconds(0));
        observer.OnBatch(1, 2);
      }
    });
  }
  for (std::thread& thread : threads) thread.join();
  const std::string text = metrics.Text();
  EXPECT_EQ(ValueOf(text, R"(te_request_count{path="/a",status="200"})"), "1000");
  EXPECT_EQ(ValueOf(text, R"(te_batch_next_tokens_sum{model="m"})"), "4000");
}

TEST_F(ServiceTest, MetricsTellOfRequestsByTheirRoute) {
  embedder.failure.reset();
  (void)Post("/embed", R"({"texts":["ab","c"]})");
  (void)Post("/embed/?x", R"({"texts":7})");
  (void)Send("OPTIONS", "/embed");
  (void)Send("GET", "/embed");
  (void)Send("GET", "/v1/models/org/fake");
  (void)Send("GET", "/no/such/path");
  const Response response = Send("GET", "/metrics");
  EXPECT_TRUE(response.content_type.starts_with("text/plain; version=0.0.4"));
  const std::string& text = response.body;
  EXPECT_EQ(ValueOf(text, R"(te_request_count{path="/embed",status="200"})"), "1");
  EXPECT_EQ(ValueOf(text, R"(te_request_count{path="/embed",status="422"})"), "1");
  EXPECT_EQ(ValueOf(text, R"(te_request_count{path="/embed",status="204"})"), "1");
  EXPECT_EQ(ValueOf(text, R"(te_request_count{path="/embed",status="405"})"), "1");
  EXPECT_EQ(ValueOf(text, R"(te_request_count{path="/v1/models/",status="200"})"), "1");
  EXPECT_EQ(ValueOf(text, R"(te_request_count{path="",status="404"})"), "1");
  EXPECT_EQ(ValueOf(text, "embedding_request_texts_sum"), "2");
  EXPECT_EQ(ValueOf(text, "embedding_request_tokens_sum"), "7");
}

class StoreOfNumbers final : public ResultStore {
 public:
  void Find(std::span<const ResultKey> /*keys*/,
            std::span<StoredResult> /*found*/) noexcept override {}
  void Put(const ResultKey& /*key*/, std::span<const std::byte> /*result*/) noexcept override {}
  bool is_shared() const override { return true; }
  std::vector<ResultStoreStats> stats() const override {
    return {{.store = "memory",
             .hits = 5,
             .misses = 6,
             .evictions = 7,
             .entries = 8,
             .bytes = 9,
             .limit_bytes = 10},
            {.store = "redis", .hits = 1, .misses = 2, .errors = 3, .dropped_writes = 4, .up = up}};
  }

  bool up = true;
};

TEST(MetricsTest, TheCacheTellsOfItself) {
  EXPECT_EQ(Metrics().Text().find("embedding_cache"), std::string::npos);
  StoreOfNumbers store;
  Metrics metrics(&store);
  metrics.CountLookup({.lookup = std::chrono::milliseconds(250)});
  std::string text = metrics.Text();
  for (const auto& [name, value] :
       std::vector<std::pair<std::string, std::string>>{{R"(hits{store="memory"})", "5"},
                                                        {R"(misses{store="memory"})", "6"},
                                                        {R"(evictions{store="memory"})", "7"},
                                                        {R"(entries{store="memory"})", "8"},
                                                        {R"(bytes{store="memory"})", "9"},
                                                        {R"(limit_bytes{store="memory"})", "10"},
                                                        {R"(hits{store="redis"})", "1"},
                                                        {R"(misses{store="redis"})", "2"},
                                                        {R"(errors{store="redis"})", "3"},
                                                        {R"(dropped_writes{store="redis"})", "4"},
                                                        {R"(redis_up{store="redis"})", "1"},
                                                        {R"(bytes{store="redis"})", ""},
                                                        {"duration_sum", "0.25"}}) {
    EXPECT_EQ(ValueOf(text, "embedding_cache_" + name), value) << name;
  }
  store.up = false;
  text = metrics.Text();
  EXPECT_EQ(ValueOf(text, R"(embedding_cache_redis_up{store="redis"})"), "0");
}

}  // namespace
}  // namespace embedding::api
