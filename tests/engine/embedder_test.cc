#include "engine/embedder.h"

#include "base/mapped_file.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <filesystem>
#include <fstream>
#include <initializer_list>
#include <nlohmann/json.hpp>
#include <numeric>
#include <random>
#include <string>
#include <thread>
#include <vector>

namespace embedding {
namespace {

using nlohmann::json;
using testing::HasSubstr;

const std::string kMiniLm = MODELS_DIR "/all-MiniLM-L6-v2";
const std::string kTinyBgeM3 = TEST_DATA_DIR "/tiny-bge-m3";

// In f32, whatever the processor: the references are.
std::unique_ptr<Embedder> Load(const std::string& directory, EmbedderOptions options = {}) {
  options.model_directory = directory;
  options.compute_type = ComputeType::kF32;
  auto embedder = Embedder::Load(options);
  EXPECT_TRUE(embedder.ok()) << embedder.error().message;
  return *std::move(embedder);
}

// What the Python original gave: texts and their vectors.
struct Expected {
  std::vector<std::string> texts;
  std::vector<std::vector<float>> vectors;
};

Expected ReadExpected(const std::string& file, const char* field) {
  std::ifstream stream(std::string(TEST_DATA_DIR "/expected/") + file);
  Expected expected;
  for (const json& row : json::parse(stream)) {
    expected.texts.push_back(row.at("text"));
    expected.vectors.push_back(row.at(field).get<std::vector<float>>());
  }
  EXPECT_FALSE(expected.texts.empty());
  return expected;
}

double Cosine(std::span<const float> a, std::span<const float> b) {
  double ab = 0;
  double aa = 0;
  double bb = 0;
  for (size_t i = 0; i < a.size(); ++i) {
    ab += static_cast<double>(a[i]) * b[i];
    aa += static_cast<double>(a[i]) * a[i];
    bb += static_cast<double>(b[i]) * b[i];
  }
  return ab / std::sqrt(aa * bb);
}

double LargestDifference(std::span<const float> a, std::span<const float> b) {
  double largest = 0;
  for (size_t i = 0; i < a.size(); ++i) {
    largest = std::max(largest, std::abs(static_cast<double>(a[i]) - b[i]));
  }
  return largest;
}

// One vector a text, whichever way the texts are put into requests.
std::vector<std::vector<float>> EmbedAll(Embedder& embedder, const std::vector<std::string>& texts,
                                         bool normalize) {
  EmbedRequest request;
  request.texts = texts;
  request.normalize = normalize;
  const auto response = embedder.Embed(request);
  EXPECT_TRUE(response.ok()) << response.error().message;
  std::vector<std::vector<float>> vectors;
  for (size_t i = 0; i < texts.size(); ++i) {
    const auto vector = response->embedding(i);
    vectors.emplace_back(vector.begin(), vector.end());
  }
  return vectors;
}

struct Reference {
  std::string directory;
  const char* file;
  const char* field;
  bool normalize;
};

class EmbedderReferences : public testing::TestWithParam<Reference> {};
INSTANTIATE_TEST_SUITE_P(
    All, EmbedderReferences,
    testing::Values(Reference{kMiniLm, "dense.all-MiniLM-L6-v2.json", "embedding", true},
                    Reference{kMiniLm, "dense.all-MiniLM-L6-v2.json", "unnormalized", false},
                    Reference{kTinyBgeM3, "tiny-bge-m3.json", "dense", true}));

TEST_P(EmbedderReferences, VectorsEqualThePythonOriginals) {
  const auto embedder = Load(GetParam().directory);
  const Expected expected = ReadExpected(GetParam().file, GetParam().field);
  const auto vectors = EmbedAll(*embedder, expected.texts, GetParam().normalize);
  for (size_t i = 0; i < vectors.size(); ++i) {
    EXPECT_GT(Cosine(vectors[i], expected.vectors[i]), 0.999999) << expected.texts[i];
    EXPECT_LT(LargestDifference(vectors[i], expected.vectors[i]), 2e-5) << expected.texts[i];
  }
}

TEST_P(EmbedderReferences, AVectorDoesNotDependOnItsBatch) {
  // A small budget, so that the shuffled texts are cut into several batches.
  const auto embedder = Load(GetParam().directory, {.max_batch_tokens = 200});
  const Expected expected = ReadExpected(GetParam().file, GetParam().field);
  const auto together = EmbedAll(*Load(GetParam().directory), expected.texts, GetParam().normalize);
  for (size_t i = 0; i < expected.texts.size(); ++i) {
    const auto alone = EmbedAll(*embedder, {expected.texts[i]}, GetParam().normalize);
    EXPECT_LT(LargestDifference(alone[0], together[i]), 1e-6) << expected.texts[i];
  }
  std::mt19937 generator(1);
  for (int round = 0; round < 3; ++round) {
    std::vector<size_t> order(expected.texts.size());
    std::iota(order.begin(), order.end(), 0);
    std::shuffle(order.begin(), order.end(), generator);
    std::vector<std::string> texts;
    for (const size_t i : order) texts.push_back(expected.texts[i]);
    const auto shuffled = EmbedAll(*embedder, texts, GetParam().normalize);
    for (size_t i = 0; i < order.size(); ++i) {
      EXPECT_LT(LargestDifference(shuffled[i], together[order[i]]), 1e-6) << texts[i];
    }
  }
}

TEST(EmbedderBf16, VectorsAreCloseToF32WhereTheProcessorHasIt) {
  auto bf16 = Embedder::Load({.model_directory = kMiniLm, .compute_type = ComputeType::kBF16});
  if (!bf16.ok()) {
    EXPECT_EQ(bf16.error().code, ErrorCode::kDeviceUnavailable);
    GTEST_SKIP() << bf16.error().message;
  }
  const Expected expected = ReadExpected("dense.all-MiniLM-L6-v2.json", "embedding");
  const auto vectors = EmbedAll(**bf16, expected.texts, true);
  for (size_t i = 0; i < vectors.size(); ++i) {
    EXPECT_GT(Cosine(vectors[i], expected.vectors[i]), 0.9995) << expected.texts[i];
  }
  EXPECT_EQ((*bf16)->info().dtype, "bf16");
}

TEST(EmbedderF16, VectorsAreCloseToF32) {
  auto f16 = Embedder::Load({.model_directory = kMiniLm, .compute_type = ComputeType::kF16});
  ASSERT_TRUE(f16.ok()) << f16.error().message;
  const Expected expected = ReadExpected("dense.all-MiniLM-L6-v2.json", "embedding");
  const auto vectors = EmbedAll(**f16, expected.texts, true);
  for (size_t i = 0; i < vectors.size(); ++i) {
    EXPECT_GT(Cosine(vectors[i], expected.vectors[i]), 0.99999) << expected.texts[i];
  }
  EXPECT_EQ((*f16)->info().dtype, "f16");
}

// A model that is pooled by its first token, whose last layer computes no others; with more tokens,
// and then more sequences, than go through a layer's products at a time.
class EmbedderTypes : public testing::TestWithParam<ComputeType> {};
INSTANTIATE_TEST_SUITE_P(All, EmbedderTypes,
                         testing::Values(ComputeType::kF32, ComputeType::kBF16, ComputeType::kF16,
                                         ComputeType::kInt8));

TEST_P(EmbedderTypes, AVectorIsTheSameAloneAndAmongManyTexts) {
  const auto load = [](ComputeType type) {
    return Embedder::Load(
        {.model_directory = kTinyBgeM3, .compute_type = type, .max_batch_tokens = 8192});
  };
  auto embedder = load(GetParam());
  if (!embedder.ok()) {
    EXPECT_EQ(embedder.error().code, ErrorCode::kDeviceUnavailable);
    GTEST_SKIP() << embedder.error().message;
  }
  std::vector<std::string> texts(1);
  for (int i = 0; i < 600; ++i) {
    texts[0] += "long ";
    texts.push_back("text " + std::to_string(i * i));
  }
  const auto together = EmbedAll(**embedder, texts, true);
  const auto f32 = EmbedAll(**load(ComputeType::kF32), texts, true);
  for (size_t i = 0; i < texts.size(); ++i) EXPECT_GT(Cosine(together[i], f32[i]), 0.99) << i;
  for (const size_t i : std::initializer_list<size_t>{0, 1, 2, 300, 511, 512, 513, 599, 600}) {
    const auto alone = EmbedAll(**embedder, {texts[i]}, true);
    EXPECT_LT(LargestDifference(alone[0], together[i]), 1e-6) << i;
  }
}

class EmbedderRequests : public testing::Test {
 protected:
  Error Refused(const EmbedRequest& request) {
    const auto response = embedder_->Embed(request);
    EXPECT_FALSE(response.ok());
    return response.ok() ? Error{} : response.error();
  }
  EmbedRequest LongText() const {
    EmbedRequest request;
    request.texts = {"short", ""};
    for (int i = 0; i < 300; ++i) request.texts[1] += "word ";
    return request;
  }

  std::unique_ptr<Embedder> embedder_ = Load(kMiniLm);
};

TEST_F(EmbedderRequests, InfoSaysWhatIsLoaded) {
  EXPECT_EQ(embedder_->info().name, "all-MiniLM-L6-v2");
  EXPECT_EQ(embedder_->info().device, "cpu");
  EXPECT_EQ(embedder_->info().dimension, 384U);
  EXPECT_EQ(embedder_->info().max_input_tokens, 256U);
  EXPECT_TRUE(embedder_->health().ok());
}

TEST_F(EmbedderRequests, DimensionsKeepsTheFirstComponentsAndNormalisesThem) {
  EmbedRequest request;
  request.texts = {"Matryoshka"};
  request.normalize = false;
  const auto whole = embedder_->Embed(request);
  request.dimensions = 100;
  const auto cut = embedder_->Embed(request);
  ASSERT_EQ(cut->dimension, 100U);
  EXPECT_EQ(LargestDifference(cut->embedding(0), whole->embedding(0).first(100)), 0);
  request.normalize = true;
  const auto unit = embedder_->Embed(request);
  EXPECT_NEAR(Cosine(unit->embedding(0), cut->embedding(0)), 1, 1e-6);
  double squares = 0;
  for (const float x : unit->embedding(0)) squares += static_cast<double>(x) * x;
  EXPECT_NEAR(squares, 1, 1e-5);
}

TEST_F(EmbedderRequests, DimensionsOutOfRangeAreRefused) {
  for (const size_t dimensions : std::initializer_list<size_t>{0, 385}) {
    EmbedRequest request;
    request.texts = {"x"};
    request.dimensions = dimensions;
    const Error error = Refused(request);
    EXPECT_EQ(error.code, ErrorCode::kInvalidArgument);
    EXPECT_EQ(error.field, "dimensions");
    EXPECT_THAT(error.message, HasSubstr("384"));
  }
}

TEST_F(EmbedderRequests, NoTextsAreRefused) {
  EXPECT_EQ(Refused(EmbedRequest{}).code, ErrorCode::kEmpty);
}

TEST_F(EmbedderRequests, ATextThatIsTooLongIsCutOrRefusedAsAsked) {
  EmbedRequest request = LongText();
  const auto cut = embedder_->Embed(request);
  ASSERT_TRUE(cut.ok());
  EXPECT_EQ(cut->truncated_texts, 1U);
  EXPECT_EQ(cut->prompt_tokens, 3U + 256U);
  request.truncate = false;
  const Error error = Refused(request);
  EXPECT_EQ(error.code, ErrorCode::kInvalidArgument);
  EXPECT_EQ(error.field, "texts[1]");
  EXPECT_THAT(error.message, HasSubstr("302"));
  EXPECT_THAT(error.message, HasSubstr("256"));
}

TEST_F(EmbedderRequests, InvalidUtf8IsRefusedByPlace) {
  EmbedRequest request;
  request.texts = {"fine", "bad \xFF"};
  const Error error = Refused(request);
  EXPECT_EQ(error.code, ErrorCode::kMalformed);
  EXPECT_EQ(error.message, "texts[1] is not valid UTF-8 at byte 4");
}

TEST_F(EmbedderRequests, TextsPairsQueryAndIdsMustGoTogether) {
  EmbedRequest short_pairs;
  short_pairs.texts = {"a", "b", "c"};
  short_pairs.text_pairs = {"x"};
  EXPECT_EQ(Refused(short_pairs).field, "text_pairs");
  EmbedRequest long_pairs;
  long_pairs.texts = {"a"};
  long_pairs.text_pairs = {"x", "y"};
  EXPECT_EQ(Refused(long_pairs).field, "text_pairs");
  EmbedRequest ids_and_texts;
  ids_and_texts.texts = {"a"};
  ids_and_texts.input_ids = {{101, 102}};
  EXPECT_EQ(Refused(ids_and_texts).field, "input_ids");
  EmbedRequest ids_and_pairs;
  ids_and_pairs.input_ids = {{101, 102}};
  ids_and_pairs.text_pairs = {"a"};
  EXPECT_EQ(Refused(ids_and_pairs).code, ErrorCode::kInvalidArgument);
  EmbedRequest query_and_pairs;
  query_and_pairs.texts = {"a"};
  query_and_pairs.text_pairs = {"b"};
  query_and_pairs.query = "c";
  EXPECT_EQ(Refused(query_and_pairs).field, "query");
}

TEST_F(EmbedderRequests, AnswersTakeTheirMemoryFromTheBudget) {
  ByteBudget budget(384 * sizeof(float) * 3);
  EmbedRequest request;
  request.texts = {"a", "b"};
  request.answer_budget = &budget;
  {
    const auto first = embedder_->Embed(request);
    ASSERT_TRUE(first.ok());
    EXPECT_EQ(budget.taken(), 384 * sizeof(float) * 2);
    EXPECT_EQ(Refused(request).code, ErrorCode::kOverloaded);
    request.texts = {"c"};
    EXPECT_TRUE(embedder_->Embed(request).ok());
  }
  EXPECT_EQ(budget.taken(), 0U);
  request.outputs = {.dense = false, .token_embeddings = true};
  request.texts = {"more tokens than the budget has room for"};
  const Error too_large = Refused(request);
  EXPECT_EQ(too_large.code, ErrorCode::kInvalidArgument);
  EXPECT_THAT(too_large.message, HasSubstr("fewer or shorter texts"));
  EXPECT_EQ(budget.taken(), 0U);
}

TEST_F(EmbedderRequests, EqualTextsGetEqualVectors) {
  EmbedRequest request;
  request.texts = {"twin", "other", "twin", ""};
  const auto response = embedder_->Embed(request);
  ASSERT_TRUE(response.ok());
  EXPECT_EQ(LargestDifference(response->embedding(0), response->embedding(2)), 0);
  EXPECT_GT(LargestDifference(response->embedding(0), response->embedding(1)), 0.01);
}

TEST_F(EmbedderRequests, ManyThreadsGetTheirOwnAnswers) {
  const Expected expected = ReadExpected("dense.all-MiniLM-L6-v2.json", "embedding");
  std::vector<std::thread> threads;
  std::vector<double> worst(8);
  for (size_t t = 0; t < worst.size(); ++t) {
    threads.emplace_back([&, t] {
      for (size_t i = t; i < expected.texts.size(); i += worst.size()) {
        EmbedRequest request;
        request.texts = {expected.texts[i]};
        const auto response = embedder_->Embed(request);
        const double difference =
            response.ok() ? LargestDifference(response->embedding(0), expected.vectors[i]) : 1;
        worst[t] = std::max(worst[t], difference);
      }
    });
  }
  for (std::thread& thread : threads) thread.join();
  for (const double difference : worst) EXPECT_LT(difference, 2e-5);
}

// A copy of a model whose weight file the test may write into.
std::filesystem::path CopyOfMiniLm(const char* name) {
  namespace fs = std::filesystem;
  fs::path directory = fs::path(testing::TempDir()) / name;
  fs::remove_all(directory);
  fs::copy(kMiniLm, directory, fs::copy_options::recursive);
  return directory;
}

// Of an embedder whose model's file was written into.
void ExpectUnhealthy(Embedder& embedder) {
  EmbedRequest request;
  request.texts = {"a text with words that nobody has asked for"};
  const auto response = embedder.Embed(request);
  ASSERT_FALSE(response.ok());
  for (const Error& error : {response.error(), embedder.health().error()}) {
    EXPECT_EQ(error.code, ErrorCode::kUnavailable);
    EXPECT_THAT(error.message, HasSubstr("model.safetensors was changed"));
  }
}

TEST(EmbedderFiles, AChangedWeightFileIsNoticedBeforeAnybodyIsAnswered) {
  const auto directory = CopyOfMiniLm("changed-model");
  const auto embedder = Load(directory.string());
  EXPECT_TRUE(embedder->health().ok());
  {
    std::fstream file(directory / "model.safetensors",
                      std::ios::in | std::ios::out | std::ios::binary);
    file.seekp(1 << 20);
    file << "something else";
  }
  ExpectUnhealthy(*embedder);
}

TEST(EmbedderFiles, ATruncatedWeightFileIsNoticedAndTheProcessGoesOn) {
  MappedFile::SurviveTruncation();
  const auto directory = CopyOfMiniLm("truncated-model");
  const auto embedder = Load(directory.string());
  std::filesystem::resize_file(directory / "model.safetensors", 1000);
  ExpectUnhealthy(*embedder);
}

TEST(EmbedderFiles, AReplacedWeightFileIsNoMatter) {
  const auto directory = CopyOfMiniLm("replaced-model");
  const auto embedder = Load(directory.string());
  std::ofstream(directory / "new") << "something else";
  std::filesystem::rename(directory / "new", directory / "model.safetensors");
  EXPECT_EQ(EmbedAll(*embedder, {"a"}, true), EmbedAll(*Load(kMiniLm), {"a"}, true));
  EXPECT_TRUE(embedder->health().ok());
}

TEST(EmbedderLoad, ATokenizerOfAnotherModelIsRefused) {
  namespace fs = std::filesystem;
  const fs::path directory = fs::path(testing::TempDir()) / "mixed-model";
  fs::remove_all(directory);
  fs::copy(kTinyBgeM3, directory, fs::copy_options::recursive);
  fs::copy(MODELS_DIR "/bge-m3-tokenizer/tokenizer.json", directory / "tokenizer.json",
           fs::copy_options::overwrite_existing);
  const auto embedder = Embedder::Load({.model_directory = directory.string()});
  ASSERT_FALSE(embedder.ok());
  EXPECT_EQ(embedder.error().code, ErrorCode::kModelLoad);
  EXPECT_THAT(embedder.error().message, HasSubstr("ids up to 250001"));
  EXPECT_THAT(embedder.error().message, HasSubstr("vocab_size is 8002"));
}

}  // namespace
}  // namespace embedding
