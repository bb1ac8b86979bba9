// The vectors of models against those of the Python originals, in every type and batch.
#include <gtest/gtest.h>

#include <algorithm>
#include <initializer_list>
#include <memory>
#include <numeric>
#include <random>
#include <string>
#include <vector>

#include "embedding/engine.h"
#include "engine/vectors.h"

namespace embedding {
namespace {

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
  double largest = 0;
  for (size_t i = 0; i < vectors.size(); ++i) {
    EXPECT_GT(Cosine(vectors[i], expected.vectors[i]), 0.999999) << expected.texts[i];
    const double difference = LargestDifference(vectors[i], expected.vectors[i]);
    EXPECT_LT(difference, 2e-5) << expected.texts[i];
    largest = std::max(largest, difference);
  }
  RecordProperty("largest_difference", std::to_string(largest * 1e6) + "e-6");
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

#if defined(TEST_BEST_TARGET_ALONE)  // of tiles
TEST(EmbedderF32, SaysThatItMultipliesSlices) {
  auto f32 = Embedder::Load({.model_directory = kMiniLm, .compute_type = ComputeType::kF32});
  ASSERT_TRUE(f32.ok()) << f32.error().message;
  EXPECT_EQ((*f32)->info().dtype, "f32");
  EXPECT_EQ((*f32)->info().products, "int8 slices");
}
#endif

TEST(EmbedderBf16, VectorsAreCloseToF32WhereTheProcessorHasIt) {
  auto bf16 = Embedder::Load(
      {.model_directory = kMiniLm, .compute_type = ComputeType::kBF16, .device = {TEST_DEVICE}});
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
  auto f16 = Embedder::Load(
      {.model_directory = kMiniLm, .compute_type = ComputeType::kF16, .device = {TEST_DEVICE}});
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
    return Embedder::Load({.model_directory = kTinyBgeM3,
                           .compute_type = type,
                           .device = {TEST_DEVICE},
                           .max_batch_tokens = 8192});
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

}  // namespace
}  // namespace embedding
