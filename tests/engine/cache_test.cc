// What the cache spares the device, and what it does not change.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <atomic>
#include <filesystem>
#include <fstream>
#include <functional>
#include <future>
#include <memory>
#include <numeric>
#include <string>
#include <thread>
#include <utility>
#include <vector>

#include "embedding/engine.h"
#include "embedding/result_store.h"
#include "engine/fake_backend.h"
#include "engine/rerank.h"
#include "engine/vectors.h"
#include "test_data.h"

namespace embedding {
namespace {

using testing::ElementsAre;
using testing::IsEmpty;

// A device that gives vectors of its input, and counts what it runs.
class Device {
 public:
  std::shared_ptr<Backend> backend() {
    return std::make_shared<FakeBackend>(
        Limits{},
        [this](const Batch& batch, BatchOutputs& outputs) { return Run(batch, outputs); });
  }
  // Sequences of each batch so far.
  std::vector<size_t> TakeRuns() { return std::exchange(runs_, {}); }

  size_t dimension = 128;  // of dense vectors
  std::atomic<bool> fails = false;

 private:
  Status Run(const Batch& batch, BatchOutputs& outputs) {
    if (fails) return Error{ErrorCode::kInternal, "the device is gone", {}};
    runs_.push_back(batch.sequences());
    numbers_.clear();
    for (size_t s = 0; s < batch.sequences(); ++s) {
      const size_t tokens = batch.offsets[s + 1] - batch.offsets[s];
      const auto ids = batch.input_ids.subspan(batch.offsets[s], tokens);
      const auto types = batch.token_type_ids.subspan(batch.offsets[s], tokens);
      float seed = 0;
      for (size_t i = 0; i < tokens; ++i)
        seed = seed * 1.7F + static_cast<float>(ids[i] + types[i]);
      auto& numbers = numbers_.emplace_back(384 * std::max(tokens, size_t{1}));
      std::iota(numbers.begin(), numbers.end(), seed);
      const std::span<const float> all(numbers);
      if (batch.wanted[s].dense) outputs[s].dense = all.first(dimension);
      if (batch.wanted[s].colbert_vecs) outputs[s].colbert_vecs = all.first(128 * (tokens - 1));
      if (batch.wanted[s].token_embeddings) outputs[s].token_embeddings = all.first(128 * tokens);
      if (batch.wanted[s].logits) outputs[s].logits = all.first(1);
      if (batch.wanted[s].lexical_weights) {
        outputs[s].lexical_weights = {{ids[0], seed}, {5, 0.25F}};
      }
    }
    return {};
  }

  std::vector<size_t> runs_;
  std::vector<std::vector<float>> numbers_;
};

class CacheTest : public testing::Test {
 protected:
  std::unique_ptr<Embedder> LoadModel(const std::string& model, EmbedderOptions options = {}) {
    options.backends = {device_.backend()};
    if (options.cache == nullptr) options.cache = store_;
    return Load(model, options);
  }

  EmbedResponse Embed(const EmbedRequest& request) { return Embed(*embedder_, request); }
  static EmbedResponse Embed(Embedder& embedder, const EmbedRequest& request) {
    auto response = embedder.Embed(request);
    EXPECT_TRUE(response.ok()) << response.error().message;
    return response.ok() ? *std::move(response) : EmbedResponse{};
  }
  static EmbedRequest Texts(std::vector<std::string> texts) {
    EmbedRequest request;
    request.texts = std::move(texts);
    return request;
  }

  Device device_;
  std::shared_ptr<ResultStore> store_ = MakeMemoryStore(16'000'000);
  std::unique_ptr<Embedder> embedder_ = LoadModel(kTinyBgeM3);
};

TEST_F(CacheTest, OnlyTextsThatAreNotThereAreComputed) {
  EmbedRequest many;
  for (int i = 0; i < 99; ++i) many.texts.push_back("text " + std::to_string(i));
  EXPECT_EQ(Embed(many).cached_texts, 0U);
  device_.TakeRuns();
  many.texts.insert(many.texts.begin() + 40, "one more");
  const EmbedResponse mixed = Embed(many);
  EXPECT_THAT(device_.TakeRuns(), ElementsAre(1));
  EXPECT_EQ(mixed.cached_texts, 99U);
  EXPECT_EQ(mixed.texts, 100U);
  const EmbedResponse cached = Embed(many);
  EXPECT_THAT(device_.TakeRuns(), IsEmpty());
  EXPECT_EQ(cached.cached_texts, 100U);
  EXPECT_EQ(cached.timings.inference.count(), 0);
  EXPECT_EQ(cached.timings.queue.count(), 0);
  const auto without = Load(kTinyBgeM3, {.backends = {device_.backend()}});
  const EmbedResponse computed = Embed(*without, many);
  EXPECT_EQ(computed.cached_texts, std::nullopt);
  EXPECT_EQ(cached.embeddings, computed.embeddings);
  EXPECT_EQ(mixed.embeddings, computed.embeddings);
  EXPECT_EQ(cached.prompt_tokens, computed.prompt_tokens);
  EXPECT_EQ(cached.characters, computed.characters);
}

TEST_F(CacheTest, WhatARequestChoosesIsDoneToWhatIsThere) {
  Embed(Texts({"twin"}));
  device_.TakeRuns();
  EmbedRequest request = Texts({"  twin "});
  request.normalize = false;
  const EmbedResponse whole = Embed(request);
  request.dimensions = 10;
  const EmbedResponse cut = Embed(request);
  EXPECT_EQ(whole.embeddings.size(), 128U);
  EXPECT_TRUE(std::equal(cut.embeddings.begin(), cut.embeddings.end(), whole.embeddings.begin()));
  EXPECT_EQ(cut.embeddings.size(), 10U);
  request.normalize = true;
  EXPECT_NEAR(Cosine(Embed(request).embedding(0), cut.embedding(0)), 1, 1e-6);
  EXPECT_THAT(device_.TakeRuns(), IsEmpty());
}

TEST_F(CacheTest, HeadsAreStoredEachByItself) {
  EmbedRequest all = Texts({"some words", "others"});
  all.outputs = {.dense = true, .lexical_weights = true, .colbert_vecs = true};
  const EmbedResponse computed = Embed(all);
  device_.TakeRuns();
  EmbedRequest some = all;
  some.outputs = {.dense = false, .lexical_weights = true};
  EXPECT_EQ(Embed(some).lexical_weights[1][0].weight, computed.lexical_weights[1][0].weight);
  const EmbedResponse cached = Embed(all);
  EXPECT_THAT(device_.TakeRuns(), IsEmpty());
  EXPECT_EQ(cached.embeddings, computed.embeddings);
  EXPECT_EQ(cached.colbert_vecs, computed.colbert_vecs);
  ASSERT_EQ(cached.lexical_weights[0].size(), 2U);
  EXPECT_EQ(cached.lexical_weights[0][1].id, 5);

  Embed(Texts({"dense alone"}));
  device_.TakeRuns();
  all.texts = {"dense alone"};
  EXPECT_EQ(Embed(all).cached_texts, 0U);
  EXPECT_EQ(Embed(all).cached_texts, 1U);
  EXPECT_THAT(device_.TakeRuns(), ElementsAre(1));
}

TEST_F(CacheTest, TokenEmbeddingsAreComputedEachTime) {
  EmbedRequest request = Texts({"word"});
  request.outputs.token_embeddings = true;
  EXPECT_EQ(Embed(request).cached_texts, 0U);
  EXPECT_EQ(Embed(request).cached_texts, 0U);
  EXPECT_THAT(device_.TakeRuns(), ElementsAre(1, 1));
  EXPECT_EQ(Embed(Texts({"word"})).cached_texts, 1U);  // whose dense vector was computed beside
}

TEST_F(CacheTest, ModelsShareNothing) {
  const auto other = LoadModel(kTinyBgeM3, {.pooling = "mean"});
  const auto again = LoadModel(kTinyBgeM3);  // whose files may be others by now
  EmbedRequest ids;
  ids.input_ids = {{5, 6, 7}};
  for (Embedder* model : {embedder_.get(), other.get(), again.get()}) {
    EXPECT_EQ(Embed(*model, ids).cached_texts, 0U);
  }
  EXPECT_EQ(Embed(ids).cached_texts, 1U);
}

TEST_F(CacheTest, TokenTypesAndLengthsTellTextsApart) {
  const auto pairs = LoadModel(TestData("tiny-reranker"));
  EmbedRequest request;
  request.outputs = {.dense = false, .logits = true};
  for (const auto& ids : std::vector<std::vector<int32_t>>{{0}, {0, 0}, {0, 0, 0}, {1, 0}}) {
    request.input_ids = {ids};
    EXPECT_EQ(Embed(*pairs, request).cached_texts, 0U) << ids.size();
  }
  EXPECT_EQ(Embed(*pairs, request).cached_texts, 1U);
  // Of BERT's kind, whose second text has another type.
  device_.dimension = 384;
  const auto minilm = LoadModel(kMiniLm);
  EmbedRequest pair = Texts({"a"});
  pair.text_pairs = {"b"};
  EmbedRequest flat;
  flat.input_ids = {{101, 1037, 102, 1038, 102}};
  EXPECT_EQ(Embed(*minilm, flat).cached_texts, 0U);
  const EmbedResponse of_pair = Embed(*minilm, pair);
  EXPECT_EQ(of_pair.prompt_tokens, 5U);
  EXPECT_EQ(of_pair.cached_texts, 0U);
  EXPECT_EQ(Embed(*minilm, pair).embeddings, of_pair.embeddings);
  EXPECT_EQ(Embed(*minilm, pair).cached_texts, 1U);
}

TEST_F(CacheTest, RerankingGoesThroughIt) {
  RerankRequest request;
  request.query = "what";
  request.texts = {"this", "that"};
  const auto rerank = [&](Embedder& embedder) {
    std::promise<RerankResponse> answer;
    RerankAsync(embedder, request, [&](Result<RerankResponse> result) {
      EXPECT_TRUE(result.ok());
      answer.set_value(*std::move(result));
    });
    return answer.get_future().get();
  };
  const RerankResponse computed = rerank(*embedder_);
  EXPECT_EQ(computed.cached_texts, 0U);
  request.texts.push_back("another");
  const RerankResponse mixed = rerank(*embedder_);
  EXPECT_EQ(mixed.cached_texts, 3U);
  EXPECT_EQ(mixed.texts, 4U);
  EXPECT_EQ(mixed.scores[1], computed.scores[1]);
  EXPECT_THAT(device_.TakeRuns(), ElementsAre(3, 1));

  const auto reranker = LoadModel(TestData("tiny-reranker"));
  const RerankResponse first = rerank(*reranker);
  const RerankResponse second = rerank(*reranker);
  EXPECT_EQ(second.cached_texts, 3U);
  EXPECT_EQ(second.texts, 3U);
  EXPECT_EQ(second.scores, first.scores);
}

TEST_F(CacheTest, RefusesWhatIsWrongWhetherOrNotItIsThere) {
  embedder_ = LoadModel(kTinyBgeM3, {.max_queue = 3});
  Embed(Texts({"a", "b", "c"}));
  Embed(Texts({"d"}));
  const auto too_many = embedder_->Embed(Texts({"a", "b", "c", "d"}));
  ASSERT_FALSE(too_many.ok());
  EXPECT_EQ(too_many.error().code, ErrorCode::kInvalidArgument);
  ByteBudget budget(128 * sizeof(float));
  EmbedRequest request = Texts({"a"});
  request.answer_budget = &budget;
  const EmbedResponse one = Embed(request);
  EXPECT_EQ(one.cached_texts, 1U);
  EXPECT_EQ(budget.taken(), 128 * sizeof(float));
  EXPECT_EQ(embedder_->Embed(request).error().code, ErrorCode::kOverloaded);
}

TEST_F(CacheTest, CountsTextsThatAreCut) {
  EmbedRequest request = Texts({"a long text of words"});
  request.max_tokens = 4;
  EXPECT_EQ(Embed(request).truncated_texts, 1U);
  const EmbedResponse cached = Embed(request);
  EXPECT_EQ(cached.cached_texts, 1U);
  EXPECT_EQ(cached.truncated_texts, 1U);
  EXPECT_EQ(cached.prompt_tokens, 4U);
}

TEST_F(CacheTest, AFailedBatchIsNotStored) {
  device_.fails = true;
  EXPECT_FALSE(embedder_->Embed(Texts({"a"})).ok());
  device_.fails = false;
  EXPECT_EQ(Embed(Texts({"a"})).cached_texts, 0U);
  device_.fails = true;
  EXPECT_EQ(Embed(Texts({"a"})).cached_texts, 1U);
  EXPECT_FALSE(embedder_->Embed(Texts({"a", "b"})).ok());
}

TEST_F(CacheTest, ThreadsGetTheirOwnAnswers) {
  std::vector<std::thread> threads;
  for (int t = 0; t < 4; ++t) {
    threads.emplace_back([&, t] {
      for (int i = 0; i < 50; ++i) {
        EmbedRequest request = Texts({std::to_string(i % 9), std::to_string((i + t) % 13)});
        request.normalize = false;
        const EmbedResponse response = Embed(request);
        ASSERT_EQ(response.embeddings.size(), 256U);
        EXPECT_EQ(response.embeddings[0] == response.embeddings[128],
                  request.texts[0] == request.texts[1]);
      }
    });
  }
  for (std::thread& thread : threads) thread.join();
}

// A store whose answers are the test's, as of one that others write into.
class FakeStore final : public ResultStore {
 public:
  using Answer = std::function<StoredResult()>;
  explicit FakeStore(Answer answer) : answer_(std::move(answer)) {}

  void Find(std::span<const ResultKey> keys, std::span<StoredResult> found) noexcept override {
    for (size_t i = 0; i < keys.size(); ++i) found[i] = answer_();
  }
  void Put(const ResultKey& key, std::span<const std::byte> /*result*/) noexcept override {
    put.push_back(key);
  }
  bool is_shared() const override { return true; }
  std::vector<ResultStoreStats> stats() const override { return {}; }

  std::vector<ResultKey> put;

 private:
  const Answer answer_;
};

TEST_F(CacheTest, WhatIsNoResultOfThisModelIsComputed) {
  for (const size_t bytes : std::vector<size_t>{0, 1, 4, 511, 513, 100'000}) {
    const auto store = std::make_shared<FakeStore>(
        [&] { return std::make_shared<const std::vector<std::byte>>(bytes, std::byte{0xFF}); });
    embedder_ = LoadModel(kTinyBgeM3, {.cache = store});
    EmbedRequest request = Texts({"a few words"});
    EXPECT_EQ(Embed(request).cached_texts, 0U) << bytes;
    if (bytes == 0) continue;  // a text may have no lexical weights
    request.outputs = {.dense = false, .lexical_weights = true};
    EXPECT_EQ(Embed(request).cached_texts, 0U) << bytes;  // whose ids no vocabulary has
    request.outputs = {.dense = false, .colbert_vecs = true};
    EXPECT_EQ(Embed(request).cached_texts, 0U) << bytes;
  }
}

TEST_F(CacheTest, AStoreThatWaitsHoldsUpNobodyElse) {
  std::promise<void> begun;
  std::promise<void> release;
  std::atomic<bool> first = true;
  embedder_ = LoadModel(kTinyBgeM3, {.cache = std::make_shared<FakeStore>([&]() -> StoredResult {
                                       if (first.exchange(false)) {
                                         begun.set_value();
                                         release.get_future().wait();
                                       }
                                       return nullptr;
                                     })});
  std::thread waiting([&] { Embed(Texts({"slow"})); });
  begun.get_future().wait();
  Embed(Texts({"quick"}));
  release.set_value();
  waiting.join();
}

// The key of one text of a model in a store that is shared.
ResultKey SharedKey(const std::string& model, EmbedderOptions options) {
  const auto store = std::make_shared<FakeStore>([] { return nullptr; });
  options.cache = store;
  options.model_directory = model;
  auto embedder = Embedder::Load(options);
  EXPECT_TRUE(embedder.ok()) << embedder.error().message;
  EmbedRequest request;
  request.input_ids = {{5, 6}};
  EXPECT_TRUE((*embedder)->Embed(request).ok());
  EXPECT_EQ(store->put.size(), 1U);
  return store->put.empty() ? ResultKey{} : store->put.front();
}

TEST(SharedCache, ProcessesMeetInWhatTheyComputeAlike) {
  const EmbedderOptions f32 = {.model_digest = "d", .compute_type = ComputeType::kF32};
  const ResultKey key = SharedKey(kTinyBgeM3, f32);
  EXPECT_EQ(SharedKey(kTinyBgeM3, f32), key);
  EmbedderOptions other = f32;
  other.compute_type = ComputeType::kInt8;
  EXPECT_NE(SharedKey(kTinyBgeM3, other), key);
  other = f32;
  other.pooling = "mean";
  EXPECT_NE(SharedKey(kTinyBgeM3, other), key);
  other = f32;
  other.model_digest = "another";  // other JSON files
  EXPECT_NE(SharedKey(kTinyBgeM3, other), key);
  EXPECT_NE(SharedKey(kMiniLm, f32), key);
  // Without a digest nobody knows what the JSON files are.
  other.model_digest = "";
  EXPECT_NE(SharedKey(kTinyBgeM3, other), SharedKey(kTinyBgeM3, other));
}

TEST(SharedCache, WeightsTellModelsApartWhateverTheirDigest) {
  namespace fs = std::filesystem;
  const fs::path copy = fs::path(testing::TempDir()) / "changed-weights";
  fs::remove_all(copy);
  fs::copy(kTinyBgeM3, copy, fs::copy_options::recursive);
  const EmbedderOptions f32 = {.model_digest = "d", .compute_type = ComputeType::kF32};
  const ResultKey key = SharedKey(copy.string(), f32);
  EXPECT_EQ(SharedKey(kTinyBgeM3, f32), key);
  fs::path weights = copy / "model.safetensors";
  if (!fs::exists(weights)) weights = copy / "pytorch_model.bin";
  std::fstream file(weights, std::ios::in | std::ios::out | std::ios::binary);
  const auto middle = static_cast<std::streamoff>(fs::file_size(weights) / 2);
  file.seekg(middle);
  const char byte = static_cast<char>(file.get() ^ 1);
  file.seekp(middle);
  file.put(byte);
  file.close();
  EXPECT_NE(SharedKey(copy.string(), f32), key);
  fs::remove_all(copy);
}

}  // namespace
}  // namespace embedding
