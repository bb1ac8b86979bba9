// Sparse vectors of masked-language heads, in the forms in which files have them.
#include <gtest/gtest.h>

#include <cstring>
#include <filesystem>
#include <fstream>
#include <iterator>
#include <nlohmann/json.hpp>
#include <string>

#include "engine/vectors.h"
#include "temp_dir.h"
#include "test_data.h"

namespace embedding {
namespace {

namespace fs = std::filesystem;

// model.safetensors with one tensor by another name.
void Rename(const fs::path& path, const std::string& from, const std::string& to) {
  std::ifstream stream(path, std::ios::binary);
  const std::string file{std::istreambuf_iterator<char>(stream), {}};
  stream.close();
  uint64_t size = 0;
  std::memcpy(&size, file.data(), sizeof(size));
  auto header = nlohmann::json::parse(file.substr(sizeof(size), size));
  header[to] = header.at(from);
  header.erase(from);
  const std::string text = header.dump();
  const uint64_t text_size = text.size();
  std::ofstream out(path, std::ios::binary);
  out.write(reinterpret_cast<const char*>(&text_size), sizeof(text_size));
  out << text << file.substr(sizeof(size) + size);
}

std::vector<std::pair<int32_t, float>> WeightsOf(const std::string& directory) {
  EmbedRequest request;
  request.texts = {"a few words"};
  request.outputs = {.dense = false, .lexical_weights = true};
  const auto response = Load(directory)->Embed(request);
  EXPECT_TRUE(response.ok()) << response.error().message;
  std::vector<std::pair<int32_t, float>> weights;
  for (const TokenWeight& weight : response->lexical_weights[0]) {
    weights.emplace_back(weight.id, weight.weight);
  }
  return weights;
}

TEST(Splade, TheBiasMayHaveTheDecodersName) {
  const TempDir dir;
  const fs::path copy = dir.File("model");
  fs::copy(TestData("tiny-splade"), copy, fs::copy_options::recursive);
  Rename(copy / "model.safetensors", "cls.predictions.bias", "cls.predictions.decoder.bias");
  const auto expected = WeightsOf(TestData("tiny-splade"));
  EXPECT_FALSE(expected.empty());
  EXPECT_EQ(WeightsOf(copy.string()), expected);
}

}  // namespace
}  // namespace embedding
