// What the tests of Embedder share: models loaded, the vectors of texts, and how these are
// compared.
#pragma once

#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <fstream>
#include <memory>
#include <nlohmann/json.hpp>
#include <span>
#include <string>
#include <utility>
#include <vector>

#include "embedding/engine.h"
#include "test_data.h"

namespace embedding {

// The same tests run on every device that is built in: a program of its own for each.
#ifndef TEST_DEVICE
#define TEST_DEVICE "cpu"
#endif

inline const std::string kMiniLm = FetchedModel("all-MiniLM-L6-v2");
inline const std::string kTinyBgeM3 = TestData("tiny-bge-m3");

// In f32, whatever the processor: the references are.
inline std::unique_ptr<Embedder> Load(const std::string& directory, EmbedderOptions options = {}) {
  options.model_directory = directory;
  options.compute_type = ComputeType::kF32;
  options.device.device = TEST_DEVICE;
  auto embedder = Embedder::Load(options);
  EXPECT_TRUE(embedder.ok()) << embedder.error().message;
  return *std::move(embedder);
}

// What the Python original gave: texts and their vectors.
struct Expected {
  std::vector<std::string> texts;
  std::vector<std::vector<float>> vectors;
};

inline Expected ReadExpected(const std::string& file, const char* field) {
  std::ifstream stream(TestData("expected/" + std::string(file)));
  Expected expected;
  for (const nlohmann::json& row : nlohmann::json::parse(stream)) {
    expected.texts.push_back(row.at("text"));
    expected.vectors.push_back(row.at(field).get<std::vector<float>>());
  }
  EXPECT_FALSE(expected.texts.empty());
  return expected;
}

inline double Cosine(std::span<const float> a, std::span<const float> b) {
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

inline double LargestDifference(std::span<const float> a, std::span<const float> b) {
  double largest = 0;
  for (size_t i = 0; i < a.size(); ++i) {
    largest = std::max(largest, std::abs(static_cast<double>(a[i]) - b[i]));
  }
  return largest;
}

// One vector a text, whichever way the texts are put into requests.
inline std::vector<std::vector<float>> EmbedAll(Embedder& embedder,
                                                const std::vector<std::string>& texts,
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

}  // namespace embedding
