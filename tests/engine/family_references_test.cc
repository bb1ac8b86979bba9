// Small models of every family against what sentence-transformers gives for them:
// tests/data/make_family_models.py has made both.

#include <fmt/format.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <filesystem>
#include <fstream>
#include <memory>
#include <nlohmann/json.hpp>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "embedding/engine.h"
#include "engine/vectors.h"
#include "temp_dir.h"
#include "test_data.h"
#include "text/tokenizer.h"

namespace embedding {
namespace {

namespace fs = std::filesystem;
using nlohmann::json;

const fs::path kFamilies = TestData("families");

constexpr bool kIsGpu = std::string_view(TEST_DEVICE) != "cpu";

json Read(const fs::path& path) { return json::parse(std::ifstream(path)); }

// The models that have references, in the order of their names.
std::vector<std::string> Names() {
  std::vector<std::string> names;
  for (const auto& entry : fs::directory_iterator(kFamilies)) {
    if (fs::exists(entry.path() / "references.json")) names.push_back(entry.path().filename());
  }
  std::sort(names.begin(), names.end());
  return names;
}

// What the model gives for texts, or for pairs, that have one prompt.
struct Series {
  explicit Series(const json& entry) : rows(entry.at("rows")) {
    static const json inputs = Read(kFamilies / "texts.json");
    request.outputs = {.dense = entry.at("output") == "dense",
                       .lexical_weights = entry.at("output") == "sparse",
                       .logits = entry.at("output") == "logits"};
    if (entry.contains("prompt_name")) request.prompt_name = entry.at("prompt_name");
    if (entry.contains("dimensions")) request.dimensions = entry.at("dimensions");
    special_tokens = entry.value("special_tokens", true);
    rendered = entry.value("rendered", false);
    for (size_t i = 0; i < rows.size(); ++i) {
      const json& input = inputs.at(entry.value("inputs", "texts"))[i];
      request.texts.push_back(input.is_array() ? input[0] : input);
      if (input.is_array()) request.text_pairs.push_back(input[1]);
    }
  }

  // One text or pair of them.
  EmbedRequest Only(size_t i) const {
    EmbedRequest one = request;
    one.texts = {request.texts[i]};
    if (!request.text_pairs.empty()) one.text_pairs = {request.text_pairs[i]};
    return one;
  }

  std::string Shown(size_t i) const {
    return std::to_string(i) + ": " + request.texts[i] +
           (request.text_pairs.empty() ? "" : " | " + request.text_pairs[i]);
  }

  json rows;
  EmbedRequest request;
  bool special_tokens = true;
  bool rendered = false;  // by the tokenizer's template of messages
};

class FamilyReferences : public testing::TestWithParam<std::string> {
 protected:
  // The model, with what it shares with others, in one directory.
  void SetUp() override {
    const json references = Read(kFamilies / GetParam() / "references.json");
    constexpr auto kOver = fs::copy_options::recursive | fs::copy_options::overwrite_existing;
    if (references.contains("base")) fs::copy(kFamilies / references.at("base"), directory_, kOver);
    fs::copy(kFamilies / GetParam(), directory_, kOver);
    const std::string tokenizer = references.at("tokenizer");
    const json folders = references.value("tokenizer_folders", json::array({""}));
    for (const json& folder : folders) {
      fs::copy(kFamilies / "tokenizers" / tokenizer / "tokenizer.json",
               directory_ / folder.get<std::string>());
    }
    const fs::path like = kFamilies / references.value("like", GetParam());
    const json series = Read(like / "references.json").at("series");
    for (const json& entry : series) series_.emplace_back(entry);
    ASSERT_FALSE(series_.empty());
  }

  Result<std::unique_ptr<Embedder>> Open(ComputeType type) const {
    return Embedder::Load(
        {.model_directory = directory_.string(), .compute_type = type, .device = {TEST_DEVICE}});
  }

  const TempDir temp_dir_;
  const fs::path directory_ = temp_dir_.File("model");
  std::vector<Series> series_;
};

INSTANTIATE_TEST_SUITE_P(Of, FamilyReferences, testing::ValuesIn(Names()),
                         [](const auto& name) { return name.param; });

// What an answer has of each text or pair; of weights that of every id up to the last that has one.
std::vector<std::vector<float>> NumbersOf(const EmbedResponse& response) {
  std::vector<std::vector<float>> numbers(response.texts);
  const size_t labels = response.logits.size() / response.texts;
  for (size_t i = 0; i < numbers.size(); ++i) {
    if (!response.embeddings.empty()) {
      const auto vector = response.embedding(i);
      numbers[i].assign(vector.begin(), vector.end());
    } else if (labels > 0) {
      const auto first = response.logits.begin() + static_cast<ptrdiff_t>(i * labels);
      numbers[i].assign(first, first + static_cast<ptrdiff_t>(labels));
    } else {
      for (const TokenWeight& token : response.lexical_weights[i]) {
        const size_t id = static_cast<size_t>(token.id);
        numbers[i].resize(std::max(numbers[i].size(), id + 1));
        numbers[i][id] = token.weight;
      }
    }
  }
  return numbers;
}

// The same of a reference.
std::vector<std::vector<float>> ExpectedOf(const json& rows, bool normalize) {
  std::vector<std::vector<float>> numbers;
  for (const json& row : rows) {
    std::vector<float>& one = numbers.emplace_back();
    if (row.contains("weights")) {
      for (const auto& [id, weight] : row.at("weights").items()) {
        one.resize(std::max(one.size(), std::stoul(id) + 1));
        one[std::stoul(id)] = weight;
      }
      continue;
    }
    one = row.at("vector").get<std::vector<float>>();
    if (!normalize) continue;
    double length = 0;
    for (const float value : one) length += static_cast<double>(value) * value;
    length = std::max(std::sqrt(length), 1e-12);
    for (float& value : one) value = static_cast<float>(value / length);
  }
  return numbers;
}

double Length(const std::vector<float>& vector) {
  double sum = 0;
  for (const float value : vector) sum += static_cast<double>(value) * value;
  return std::sqrt(sum);
}

// Of the test, as scripts/make_models_table.py reads it.
void Record(const std::string& name, double value) {
  testing::Test::RecordProperty(name, fmt::format("{:.9g}", value));
}

// Both as long as the longer is: a weight that one of them does not have is 0.
void MakeEqualInSize(std::vector<float>& a, std::vector<float>& b) {
  a.resize(std::max(a.size(), b.size()));
  b.resize(a.size());
}

TEST_P(FamilyReferences, TextsBecomeTheSameTokens) {
  const auto embedder = Open(ComputeType::kF32);
  ASSERT_TRUE(embedder.ok()) << embedder.error().message;
  const Tokenizer& tokenizer = (*embedder)->tokenizer();
  const std::vector<std::string>& routes = (*embedder)->info().routes;
  for (const Series& series : series_) {
    const EmbedRequest& request = series.request;
    // Another route's limit and tokenizer are its own; they are told by the numbers.
    const bool has_route =
        std::find(routes.begin(), routes.end(), request.prompt_name.value_or("")) != routes.end();
    const auto prompt = (*embedder)->Prompt(request.prompt_name);
    ASSERT_TRUE(prompt.ok()) << prompt.error().message;
    const EncodeOptions options = {.add_special_tokens = series.special_tokens,
                                   .max_tokens = (*embedder)->info().max_input_tokens,
                                   .truncation_side = tokenizer.truncation_side()};
    size_t tokens = 0;
    for (size_t i = 0; i < request.texts.size(); ++i) {
      const auto ids = series.rows[i].at("ids").get<std::vector<int32_t>>();
      tokens += ids.size();
      // What a template makes of a text is told by the numbers.
      if (series.rendered || has_route) continue;
      const std::string text = *prompt + request.texts[i];
      const Encoding encoding = request.text_pairs.empty()
                                    ? tokenizer.Encode(text, options)
                                    : tokenizer.EncodePair(text, request.text_pairs[i], options);
      EXPECT_EQ(encoding.ids, ids) << series.Shown(i);
    }
    const auto response = (*embedder)->Embed(request);
    ASSERT_TRUE(response.ok()) << response.error().message;
    EXPECT_EQ(response->prompt_tokens, tokens);
  }
}

TEST_P(FamilyReferences, NumbersEqualThoseOfSentenceTransformers) {
  const auto embedder = Open(ComputeType::kF32);
  ASSERT_TRUE(embedder.ok()) << embedder.error().message;
  double largest = 0;
  for (const Series& series : series_) {
    for (const bool normalize : {true, false}) {
      EmbedRequest request = series.request;
      request.normalize = normalize;
      const auto response = (*embedder)->Embed(request);
      ASSERT_TRUE(response.ok()) << response.error().message;
      auto numbers = NumbersOf(*response);
      auto expected = ExpectedOf(series.rows, normalize && request.outputs.dense);
      for (size_t i = 0; i < numbers.size(); ++i) {
        if (request.outputs.lexical_weights) MakeEqualInSize(numbers[i], expected[i]);
        ASSERT_EQ(numbers[i].size(), expected[i].size()) << series.Shown(i);
        // What is not of length 1, in proportion.
        const double difference =
            LargestDifference(numbers[i], expected[i]) / std::max(1.0, Length(expected[i]));
        largest = std::max(largest, difference);
        EXPECT_LT(difference, 2e-5) << series.Shown(i);
      }
    }
  }
  Record("largest_difference", largest);
}

// Where a GPU computes, all numbers are of the type, between layers too, as PyTorch has them there:
// of these references PyTorch's own bf16 is at 0.9927 at least.
TEST_P(FamilyReferences, NumbersOfFewerBitsAreClose) {
  for (const auto& [type, least] : {std::pair(ComputeType::kF16, 0.9999),
                                    std::pair(ComputeType::kBF16, kIsGpu ? 0.995 : 0.9995),
                                    std::pair(ComputeType::kInt8, 0.99)}) {
    const auto embedder = Open(type);
    // Not every device has every type, and f16 does not hold every model's numbers.
    if (!embedder.ok() && (embedder.error().code == ErrorCode::kDeviceUnavailable ||
                           embedder.error().message.find("beyond f16's") != std::string::npos)) {
      continue;
    }
    ASSERT_TRUE(embedder.ok()) << embedder.error().message;
    const std::string& dtype = (*embedder)->info().dtype;
    SCOPED_TRACE(dtype);
    double smallest = 1;
    for (const Series& series : series_) {
      const auto response = (*embedder)->Embed(series.request);
      ASSERT_TRUE(response.ok()) << response.error().message;
      auto numbers = NumbersOf(*response);
      auto expected = ExpectedOf(series.rows, false);
      if (series.request.outputs.logits) {
        // One logit has no direction: all of them are taken for one vector.
        for (auto* rows : {&numbers, &expected}) {
          std::vector<float> all;
          for (const auto& row : *rows) all.insert(all.end(), row.begin(), row.end());
          *rows = {all};
        }
      }
      for (size_t i = 0; i < numbers.size(); ++i) {
        MakeEqualInSize(numbers[i], expected[i]);
        if (Length(expected[i]) == 0) continue;
        const double cosine = Cosine(numbers[i], expected[i]);
        smallest = std::min(smallest, cosine);
        EXPECT_GT(cosine, least) << series.Shown(i);
      }
    }
    Record("smallest_cosine_" + dtype, smallest);
  }
}

TEST_P(FamilyReferences, NumbersDoNotDependOnTheBatch) {
  for (const ComputeType type : {ComputeType::kF32, ComputeType::kBF16, ComputeType::kInt8}) {
    const auto embedder = Open(type);
    if (!embedder.ok() && embedder.error().code == ErrorCode::kDeviceUnavailable) continue;
    ASSERT_TRUE(embedder.ok()) << embedder.error().message;
    SCOPED_TRACE((*embedder)->info().dtype);
    const Series& series = series_.front();
    const auto together = (*embedder)->Embed(series.request);
    ASSERT_TRUE(together.ok()) << together.error().message;
    const auto expected = NumbersOf(*together);
    for (size_t i = 0; i < expected.size(); ++i) {
      const auto alone = (*embedder)->Embed(series.Only(i));
      ASSERT_TRUE(alone.ok()) << alone.error().message;
      EXPECT_EQ(NumbersOf(*alone)[0], expected[i]) << series.Shown(i);
    }
  }
}

}  // namespace
}  // namespace embedding
