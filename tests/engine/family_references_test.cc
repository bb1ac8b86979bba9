// Small models of every family against what sentence-transformers gives for them:
// tests/data/make_family_models.py has made both.

#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <filesystem>
#include <fstream>
#include <memory>
#include <nlohmann/json.hpp>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "embedding/engine.h"
#include "engine/vectors.h"
#include "temp_dir.h"
#include "text/tokenizer.h"

namespace embedding {
namespace {

namespace fs = std::filesystem;
using nlohmann::json;

const fs::path kFamilies = TEST_DATA_DIR "/families";

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
  std::optional<std::string> prompt_name;
  std::vector<std::string> texts;
  std::vector<std::string> text_pairs;
  bool rendered = false;  // by the tokenizer's template of messages
  json rows;

  EmbedRequest Request(const std::string& output) const {
    EmbedRequest request;
    request.texts = texts;
    request.text_pairs = text_pairs;
    request.prompt_name = prompt_name;
    request.outputs = {.dense = output == "dense",
                       .lexical_weights = output == "sparse",
                       .logits = output == "logits"};
    return request;
  }
};

class FamilyReferences : public testing::TestWithParam<std::string> {
 protected:
  // The model, and the tokenizer that it shares with others, in one directory.
  FamilyReferences() {
    fs::copy(kFamilies / GetParam(), directory_, fs::copy_options::recursive);
    const std::string tokenizer = references_.value("tokenizer", "");
    if (!tokenizer.empty() && !fs::exists(directory_ / "tokenizer.json")) {
      fs::copy(kFamilies / "tokenizers" / tokenizer / "tokenizer.json", directory_);
    }
    const json texts = Read(kFamilies / "texts.json");
    for (const json& entry : references_.at("series")) {
      Series& read = series_.emplace_back();
      if (entry.contains("prompt_name")) read.prompt_name = entry.at("prompt_name");
      read.rendered = entry.value("rendered", false);
      read.rows = entry.at("rows");
      for (size_t i = 0; i < read.rows.size(); ++i) {
        const json& input = texts.at(entry.value("inputs", "texts"))[i];
        read.texts.push_back(input.is_array() ? input[0] : input);
        if (input.is_array()) read.text_pairs.push_back(input[1]);
      }
    }
  }

  Result<std::unique_ptr<Embedder>> Open(ComputeType type) const {
    return Embedder::Load(
        {.model_directory = directory_.string(), .compute_type = type, .device = {TEST_DEVICE}});
  }

  std::string output() const { return references_.at("output"); }

  const TempDir temp_dir_;
  const fs::path directory_ = temp_dir_.File("model");
  const json references_ = Read(kFamilies / GetParam() / "references.json");
  std::vector<Series> series_;
};

INSTANTIATE_TEST_SUITE_P(Of, FamilyReferences, testing::ValuesIn(Names()),
                         [](const auto& name) { return name.param; });

// What an answer has of each text or pair, in the order in which the reference's row has it.
std::vector<std::vector<float>> NumbersOf(const EmbedResponse& response, const json& rows) {
  std::vector<std::vector<float>> numbers(rows.size());
  const size_t labels = response.logits.size() / rows.size();
  for (size_t i = 0; i < rows.size(); ++i) {
    if (response.dimension > 0) {
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

// The same of the reference: "weights" are those of the ids that have some.
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

TEST_P(FamilyReferences, TextsBecomeTheSameTokens) {
  const auto embedder = Open(ComputeType::kF32);
  ASSERT_TRUE(embedder.ok()) << embedder.error().message;
  const Tokenizer& tokenizer = (*embedder)->tokenizer();
  const EncodeOptions options = {.max_tokens = (*embedder)->info().max_input_tokens,
                                 .truncation_side = tokenizer.truncation_side()};
  for (const Series& series : series_) {
    EmbedRequest request = series.Request(output());
    size_t tokens = 0;
    for (size_t i = 0; i < series.texts.size(); ++i) {
      const auto ids = series.rows[i].at("ids").get<std::vector<int32_t>>();
      tokens += ids.size();
      // What a template of messages makes of a text is told by the numbers alone.
      if (series.rendered) continue;
      const auto prompt = (*embedder)->Prompt(series.prompt_name);
      ASSERT_TRUE(prompt.ok()) << prompt.error().message;
      const std::string text = *prompt + series.texts[i];
      const Encoding encoding = series.text_pairs.empty()
                                    ? tokenizer.Encode(text, options)
                                    : tokenizer.EncodePair(text, series.text_pairs[i], options);
      EXPECT_EQ(encoding.ids, ids) << i << ": " << text;
    }
    const auto response = (*embedder)->Embed(request);
    ASSERT_TRUE(response.ok()) << response.error().message;
    EXPECT_EQ(response->prompt_tokens, tokens);
  }
}

TEST_P(FamilyReferences, NumbersEqualThoseOfSentenceTransformers) {
  const auto embedder = Open(ComputeType::kF32);
  ASSERT_TRUE(embedder.ok()) << embedder.error().message;
  for (const Series& series : series_) {
    for (const bool normalize : {true, false}) {
      EmbedRequest request = series.Request(output());
      request.normalize = normalize;
      const auto response = (*embedder)->Embed(request);
      ASSERT_TRUE(response.ok()) << response.error().message;
      const auto numbers = NumbersOf(*response, series.rows);
      const auto expected = ExpectedOf(series.rows, normalize && output() == "dense");
      for (size_t i = 0; i < numbers.size(); ++i) {
        ASSERT_EQ(numbers[i].size(), expected[i].size()) << series.texts[i];
        // Vectors that are not of length 1, and logits, in proportion.
        EXPECT_LT(LargestDifference(numbers[i], expected[i]),
                  2e-5 * std::max(1.0, Length(expected[i])))
            << i << ": " << series.texts[i];
      }
    }
  }
}

TEST_P(FamilyReferences, NumbersOfFewerBitsAreClose) {
  for (const auto& [type, least] :
       {std::pair(ComputeType::kBF16, 0.9995), std::pair(ComputeType::kInt8, 0.99)}) {
    const auto embedder = Open(type);
    if (!embedder.ok() && embedder.error().code == ErrorCode::kDeviceUnavailable) continue;
    ASSERT_TRUE(embedder.ok()) << embedder.error().message;
    SCOPED_TRACE((*embedder)->info().dtype);
    for (const Series& series : series_) {
      const auto response = (*embedder)->Embed(series.Request(output()));
      ASSERT_TRUE(response.ok()) << response.error().message;
      auto numbers = NumbersOf(*response, series.rows);
      auto expected = ExpectedOf(series.rows, false);
      if (output() == "logits") {
        // All logits of a model are one vector: one alone has no direction.
        for (auto* rows : {&numbers, &expected}) {
          std::vector<float> all;
          for (const auto& row : *rows) all.insert(all.end(), row.begin(), row.end());
          *rows = {all};
        }
      }
      for (size_t i = 0; i < numbers.size(); ++i) {
        const size_t size = std::max(numbers[i].size(), expected[i].size());
        numbers[i].resize(size);
        expected[i].resize(size);
        if (Length(expected[i]) == 0) continue;
        EXPECT_GT(Cosine(numbers[i], expected[i]), least) << i << ": " << series.texts[i];
      }
    }
  }
}

TEST_P(FamilyReferences, NumbersDoNotDependOnTheBatch) {
  for (const ComputeType type : {ComputeType::kF32, ComputeType::kBF16, ComputeType::kInt8}) {
    const auto embedder = Open(type);
    if (!embedder.ok() && embedder.error().code == ErrorCode::kDeviceUnavailable) continue;
    ASSERT_TRUE(embedder.ok()) << embedder.error().message;
    SCOPED_TRACE((*embedder)->info().dtype);
    const Series& series = series_.front();
    const auto together = (*embedder)->Embed(series.Request(output()));
    ASSERT_TRUE(together.ok()) << together.error().message;
    const auto expected = NumbersOf(*together, series.rows);
    for (size_t i = 0; i < series.texts.size(); ++i) {
      EmbedRequest request = series.Request(output());
      request.texts = {series.texts[i]};
      if (!series.text_pairs.empty()) request.text_pairs = {series.text_pairs[i]};
      const auto alone = (*embedder)->Embed(request);
      ASSERT_TRUE(alone.ok()) << alone.error().message;
      EXPECT_EQ(NumbersOf(*alone, json::array({series.rows[i]}))[0], expected[i])
          << i << ": " << series.texts[i];
    }
  }
}

}  // namespace
}  // namespace embedding
