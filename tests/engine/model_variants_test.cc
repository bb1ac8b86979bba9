// Models saved in ways of their own, against what sentence-transformers gives for them:
// tests/data/make_model_variants.py has made the references from the same changes to the same
// files.

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <filesystem>
#include <fstream>
#include <nlohmann/json.hpp>
#include <string>
#include <vector>

#include "embedding/engine.h"
#include "engine/vectors.h"
#include "temp_dir.h"
#include "test_data.h"

namespace embedding {
namespace {

namespace fs = std::filesystem;
using nlohmann::json;

const json& Variants() {
  static const json variants = json::parse(std::ifstream(TestData("expected/model_variants.json")));
  return variants;
}

std::vector<std::string> Names() {
  std::vector<std::string> names;
  for (const json& variant : Variants()) names.push_back(variant.at("name"));
  return names;
}

const json& VariantOf(const std::string& name) {
  return *std::find_if(Variants().begin(), Variants().end(),
                       [&](const json& variant) { return variant.at("name") == name; });
}

bool BelongsToTheTransformer(const std::string& name) {
  for (const char* file :
       {"config.json", "tokenizer.json", "tokenizer_config.json", "model.safetensors",
        "pytorch_model.bin", "sentence_bert_config.json", "special_tokens_map.json"}) {
    if (name == file) return true;
  }
  return false;
}

class ModelVariants : public testing::TestWithParam<std::string> {
 protected:
  void SetUp() override {
    const json& variant = VariantOf(GetParam());
    const std::string base = variant.at("base");
    const fs::path fetched = FetchedModel(base);
    fs::copy(fs::exists(fetched) ? fetched : fs::path(TestData(base)), directory_,
             fs::copy_options::recursive);
    for (const auto& [name, patch] : variant.at("files").items()) {
      const fs::path path = directory_ / name;
      json document = fs::exists(path) ? json::parse(std::ifstream(path)) : json();
      fs::remove(path);
      if (patch.is_null()) continue;
      fs::create_directories(path.parent_path());
      if (patch.is_string()) {
        std::ofstream(path) << patch.get<std::string>();
        continue;
      }
      document.merge_patch(patch);
      std::ofstream(path) << document;
    }
    if (const std::string folder = variant.at("folder"); !folder.empty()) {
      fs::create_directories(directory_ / folder);
      std::vector<fs::path> moved;
      for (const auto& entry : fs::directory_iterator(directory_)) {
        if (BelongsToTheTransformer(entry.path().filename())) moved.push_back(entry.path());
      }
      for (const fs::path& path : moved) {
        fs::rename(path, directory_ / folder / path.filename());
      }
    }
  }

  const TempDir temp_dir_;
  const fs::path directory_ = temp_dir_.path();
};

void ExpectNear(std::span<const float> values, const json& expected, double tolerance) {
  ASSERT_EQ(values.size(), expected.size());
  for (size_t i = 0; i < values.size(); ++i) {
    ASSERT_NEAR(values[i], expected[i].get<float>(), tolerance) << "component " << i;
  }
}

TEST_P(ModelVariants, AreReadAsSentenceTransformersReadsThem) {
  const json& variant = VariantOf(GetParam());
  const auto embedder = Embedder::Load({.model_directory = directory_.string(),
                                        .compute_type = ComputeType::kF32,
                                        .device = {TEST_DEVICE}});
  ASSERT_TRUE(embedder.ok()) << embedder.error().message;
  const std::string output = variant.at("output");
  EmbedRequest request;
  request.outputs = {.dense = output == "dense",
                     .lexical_weights = output == "sparse",
                     .logits = output == "logits"};
  for (const json& text : variant.at("texts")) {
    request.texts.push_back(text.is_array() ? text[0] : text);
    if (text.is_array()) request.text_pairs.push_back(text[1]);
  }
  const auto response = (*embedder)->Embed(request);
  ASSERT_TRUE(response.ok()) << response.error().message;
  const json& expected = variant.at("expected");
  for (size_t i = 0; i < request.texts.size(); ++i) {
    SCOPED_TRACE(variant.at("texts")[i].dump());
    if (output == "dense") {
      ExpectNear(response->embedding(i), expected[i], 2e-5);
    } else if (output == "logits") {
      const size_t labels = expected[i].size();
      ExpectNear(std::span(response->logits).subspan(i * labels, labels), expected[i], 1e-4);
    } else {
      ASSERT_EQ(response->lexical_weights[i].size(), expected[i].size());
      for (const TokenWeight& token : response->lexical_weights[i]) {
        ASSERT_NEAR(token.weight, expected[i].at(std::to_string(token.id)).get<float>(), 2e-4);
      }
    }
  }
}

INSTANTIATE_TEST_SUITE_P(Of, ModelVariants, testing::ValuesIn(Names()),
                         [](const auto& name) { return name.param; });

}  // namespace
}  // namespace embedding
