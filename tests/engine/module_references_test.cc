// Models of modules of every kind against what sentence-transformers gives for them:
// tests/data/make_module_models.py has made both.

#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <filesystem>
#include <future>
#include <memory>
#include <nlohmann/json.hpp>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "embedding/engine.h"
#include "engine/module_model.h"
#include "engine/rerank.h"
#include "engine/vectors.h"

namespace embedding {
namespace {

namespace fs = std::filesystem;
using nlohmann::json;

// The models that have references, in the order of their names.
std::vector<std::string> Names() {
  std::vector<std::string> names;
  for (const auto& entry : fs::directory_iterator(kModuleModels)) {
    if (fs::exists(entry.path() / "references.json")) names.push_back(entry.path().filename());
  }
  std::sort(names.begin(), names.end());
  return names;
}

class ModuleReferences : public testing::TestWithParam<std::string> {
 protected:
  std::unique_ptr<Embedder> Open() { return Load(model_.directory().string()); }

  const ModuleModel model_ = ModuleModel(GetParam());
  const json& references_ = model_.references();
};

INSTANTIATE_TEST_SUITE_P(Of, ModuleReferences, testing::ValuesIn(Names()),
                         [](const auto& name) { return name.param; });

std::optional<std::string> PromptOf(const json& series) {
  if (!series.contains("prompt_name")) return std::nullopt;
  return series.at("prompt_name").get<std::string>();
}

TEST_P(ModuleReferences, NumbersEqualThoseOfSentenceTransformers) {
  const auto embedder = Open();
  ASSERT_NE(embedder, nullptr);
  for (const json& series : references_.at("series")) {
    const bool is_dense = series.value("output", "dense") == "dense";
    EmbedRequest request;
    request.outputs = {.dense = is_dense, .logits = !is_dense};
    request.normalize = references_.at("normalized");
    request.prompt_name = PromptOf(series);
    request.dimensions = embedder->info().max_dimension;
    for (const json& row : series.at("rows")) {
      const json& text = row.at("text");
      request.texts.push_back(text.is_array() ? text[0] : text);
      if (text.is_array()) request.text_pairs.push_back(text[1]);
    }
    const auto response = embedder->Embed(request);
    ASSERT_TRUE(response.ok()) << response.error().message;
    for (size_t i = 0; i < request.texts.size(); ++i) {
      // With a truncate_dim the first of them.
      const auto expected = series.at("rows")[i].at("values").get<std::vector<float>>();
      const size_t labels = response->logits.size() / request.texts.size();
      const std::span<const float> given =
          is_dense ? response->embedding(i)
                   : std::span<const float>(response->logits).subspan(i * labels, labels);
      ASSERT_GE(given.size(), expected.size());
      if (embedder->info().dimension == embedder->info().max_dimension) {
        ASSERT_EQ(given.size(), expected.size());
      }
      EXPECT_LT(LargestDifference(given.first(expected.size()), expected), 2e-5)
          << request.prompt_name.value_or("") << " " << i << ": " << request.texts[i];
    }
  }
}

TEST_P(ModuleReferences, VectorsAreComparedAsTheModelSays) {
  const auto embedder = Open();
  ASSERT_NE(embedder, nullptr);
  for (const json& series : references_.at("series")) {
    if (!series.contains("scores")) continue;
    RerankRequest request;
    for (const json& row : series.at("rows")) request.texts.push_back(row.at("text"));
    request.query = request.texts.front();
    request.texts.erase(request.texts.begin());
    request.prompt_name = PromptOf(series);
    std::promise<Result<RerankResponse>> answer;
    RerankAsync(*embedder, request,
                [&](Result<RerankResponse> result) { answer.set_value(std::move(result)); });
    const Result<RerankResponse> response = answer.get_future().get();
    ASSERT_TRUE(response.ok()) << response.error().message;
    const auto expected = series.at("scores").get<std::vector<float>>();
    ASSERT_EQ(response->scores.size(), expected.size());
    for (size_t i = 0; i < expected.size(); ++i) {
      EXPECT_NEAR(response->scores[i], expected[i], 2e-5 * std::max(1.0F, std::abs(expected[i])));
    }
  }
}

TEST_P(ModuleReferences, NumbersDoNotDependOnTheBatch) {
  const auto embedder = Open();
  ASSERT_NE(embedder, nullptr);
  const json& series = references_.at("series")[0];
  const bool is_dense = series.value("output", "dense") == "dense";
  EmbedRequest all;
  all.outputs = {.dense = is_dense, .logits = !is_dense};
  all.prompt_name = PromptOf(series);
  for (const json& row : series.at("rows")) {
    const json& text = row.at("text");
    all.texts.push_back(text.is_array() ? text[0] : text);
    if (text.is_array()) all.text_pairs.push_back(text[1]);
  }
  const auto together = embedder->Embed(all);
  ASSERT_TRUE(together.ok()) << together.error().message;
  const auto& numbers = is_dense ? together->embeddings : together->logits;
  const size_t size = numbers.size() / all.texts.size();
  for (size_t i = 0; i < all.texts.size(); ++i) {
    EmbedRequest one = all;
    one.texts = {all.texts[i]};
    if (!all.text_pairs.empty()) one.text_pairs = {all.text_pairs[i]};
    const auto alone = embedder->Embed(one);
    ASSERT_TRUE(alone.ok()) << alone.error().message;
    const auto& given = is_dense ? alone->embeddings : alone->logits;
    const auto first = numbers.begin() + static_cast<ptrdiff_t>(i * size);
    EXPECT_TRUE(std::equal(given.begin(), given.end(), first)) << all.texts[i];
  }
}

}  // namespace
}  // namespace embedding
