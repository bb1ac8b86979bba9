// What 8-bit products cost in accuracy, on a real model and texts in many languages.
#include <gtest/gtest.h>

#include <algorithm>
#include <fstream>
#include <nlohmann/json.hpp>
#include <numeric>
#include <set>
#include <span>
#include <string>
#include <vector>

#include "embedding/engine.h"
#include "test_data.h"

namespace embedding {
namespace {

std::vector<std::string> Texts() {
  constexpr int kEvery = 5;
  std::ifstream stream(TestData("expected/tokens.all-MiniLM-L6-v2.jsonl"));
  std::vector<std::string> texts;
  std::string line;
  for (int i = 0; std::getline(stream, line); ++i) {
    if (i % kEvery == 0) texts.push_back(nlohmann::json::parse(line).at("text"));
  }
  return texts;
}

EmbedResponse EmbedAs(ComputeType type, const std::vector<std::string>& texts) {
  const auto embedder =
      Embedder::Load({.model_directory = FetchedModel("all-MiniLM-L6-v2"), .compute_type = type});
  EXPECT_TRUE(embedder.ok()) << embedder.error().message;
  EmbedRequest request;
  request.texts = texts;
  auto response = (*embedder)->Embed(request);
  EXPECT_TRUE(response.ok()) << response.error().message;
  return *std::move(response);
}

double Dot(std::span<const float> a, std::span<const float> b) {
  return std::inner_product(a.begin(), a.end(), b.begin(), 0.0);
}

// The `count` vectors with the largest cosine to vector `i`, itself left out.
std::set<size_t> Neighbours(const EmbedResponse& vectors, size_t texts, size_t i, size_t count) {
  std::vector<size_t> order;
  for (size_t k = 0; k < texts; ++k) {
    if (k != i) order.push_back(k);
  }
  std::partial_sort(order.begin(), order.begin() + static_cast<ptrdiff_t>(count), order.end(),
                    [&](size_t a, size_t b) {
                      return Dot(vectors.embedding(i), vectors.embedding(a)) >
                             Dot(vectors.embedding(i), vectors.embedding(b));
                    });
  return {order.begin(), order.begin() + static_cast<ptrdiff_t>(count)};
}

TEST(Int8Accuracy, VectorsAndNeighboursAreCloseToThoseOfF32) {
  const std::vector<std::string> texts = Texts();
  ASSERT_GT(texts.size(), 300U);
  const EmbedResponse f32 = EmbedAs(ComputeType::kF32, texts);
  const EmbedResponse int8 = EmbedAs(ComputeType::kInt8, texts);
  constexpr size_t kNeighbours = 10;
  double lowest = 1;
  size_t same = 0;
  for (size_t i = 0; i < texts.size(); ++i) {
    const double cosine = Dot(f32.embedding(i), int8.embedding(i));
    EXPECT_GT(cosine, 0.99) << texts[i];
    lowest = std::min(lowest, cosine);
    const auto expected = Neighbours(f32, texts.size(), i, kNeighbours);
    for (const size_t k : Neighbours(int8, texts.size(), i, kNeighbours)) same += expected.count(k);
  }
  const double share = static_cast<double>(same) / static_cast<double>(texts.size() * kNeighbours);
  EXPECT_GE(share, 0.9);
  RecordProperty("lowest_cosine", std::to_string(lowest));
  RecordProperty("same_neighbours", std::to_string(share));
}

}  // namespace
}  // namespace embedding
