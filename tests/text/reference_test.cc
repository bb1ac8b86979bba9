// The tokenizers against what the `tokenizers` library gave (see tests/data/*.py).
#include <gtest/gtest.h>

#include <algorithm>
#include <map>
#include <nlohmann/json.hpp>
#include <string>
#include <vector>

#include "base/json_value.h"
#include "test_data.h"
#include "text/tokenizer_json.h"
#include "text/tokenizers.h"
#include "text/unigram_scores.h"

namespace embedding {
namespace {

using Json = nlohmann::json;

class ReferenceTest : public testing::TestWithParam<std::string> {};

TEST_P(ReferenceTest, EveryTextHasTheLibrarysIds) {
  const std::string json = TokenizerJson(GetParam());
  if (json.empty()) GTEST_SKIP() << GetParam() << " is not in models/";
  const auto tokenizer = LoadTokenizer(json);
  ASSERT_NE(tokenizer, nullptr);
  std::ifstream lines(TestData("expected/tokens." + GetParam() + ".jsonl"));
  size_t count = 0;
  for (std::string line; std::getline(lines, line); ++count) {
    const Json expected = Json::parse(line);
    const Encoding encoding = tokenizer->Encode(expected["text"].get<std::string>(), {});
    EXPECT_EQ(encoding.ids, expected["ids"].get<std::vector<int32_t>>()) << expected["text"];
    EXPECT_TRUE(encoding.offsets.empty());
  }
  EXPECT_EQ(count, 1785U);
}

INSTANTIATE_TEST_SUITE_P(Models, ReferenceTest, testing::Values("bge-m3", "all-MiniLM-L6-v2"),
                         [](const auto& test) {
                           std::string name = test.param;
                           std::replace(name.begin(), name.end(), '-', '_');
                           return name;
                         });

void ExpectCase(const Tokenizer& tokenizer, const Json& expected) {
  EncodeOptions options;
  options.add_special_tokens = expected["special"];
  options.max_tokens = expected["max_tokens"];
  options.truncation_side = expected["left"] ? TruncationSide::kLeft : TruncationSide::kRight;
  options.with_offsets = true;
  const auto text = expected["text"].get<std::string>();
  const Encoding encoding =
      expected["pair"].is_null()
          ? tokenizer.Encode(text, options)
          : tokenizer.EncodePair(text, expected["pair"].get<std::string>(), options);
  std::vector<uint32_t> offsets;
  for (const CharRange& range : encoding.offsets) {
    offsets.push_back(range.begin);
    offsets.push_back(range.end);
  }
  SCOPED_TRACE(Json({expected["text"], expected["pair"]}).dump());
  EXPECT_EQ(encoding.ids, expected["ids"].get<std::vector<int32_t>>());
  EXPECT_EQ(encoding.type_ids, expected["type_ids"].get<std::vector<int32_t>>());
  EXPECT_EQ(encoding.special_mask, expected["special_mask"].get<std::vector<uint8_t>>());
  EXPECT_EQ(offsets, expected["offsets"].get<std::vector<uint32_t>>());
  EXPECT_EQ(encoding.untruncated_tokens, expected["untruncated"].get<size_t>());
  EXPECT_EQ(encoding.truncated(), expected["untruncated"] > expected["ids"].size());
  options.with_offsets = false;
  if (expected["pair"].is_null()) {
    EXPECT_EQ(tokenizer.Encode(text, options).ids, encoding.ids);
  }
  if (!expected.contains("decoded")) return;
  const Result<std::string> decoded = tokenizer.Decode(encoding.ids, true);
  ASSERT_TRUE(decoded.ok()) << decoded.error().message;
  EXPECT_EQ(*decoded, expected["decoded"].get<std::string>());
}

Json References() { return Json::parse(ReadWhole(TestData("expected/tokenizer.references.json"))); }

TEST(TokenizerReferences, EveryVariantGivesTheLibrarysEncodings) {
  const Json references = References();
  std::map<std::string, std::string> documents;
  for (const Json& variant : references["tokenizers"]) {
    const std::string base = variant["base"];
    if (!documents.contains(base)) documents[base] = TokenizerJson(base);
    if (documents[base].empty()) continue;  // not in models/
    const Json& changes = variant["changes"];
    SCOPED_TRACE(base + " with " + changes.dump());
    std::string json = documents[base];
    if (!changes.empty()) {
      Json document = Json::parse(json);
      document.update(changes);
      json = document.dump();
    }
    const auto tokenizer = LoadTokenizer(json);
    ASSERT_NE(tokenizer, nullptr);
    for (const Json& expected : variant["cases"]) ExpectCase(*tokenizer, expected);
  }
}

TEST(TokenizerReferences, EveryComponentGivesTheLibrarysEncodings) {
  const Json references = Json::parse(ReadWhole(TestData("expected/tokenizer.components.json")));
  ASSERT_FALSE(references["tokenizers"].empty());
  for (const Json& variant : references["tokenizers"]) {
    const std::string base = variant["base"];
    const Json& changes = variant["changes"];
    SCOPED_TRACE(base + " with " + changes.dump().substr(0, 500));
    Json document = references["documents"].contains(base)
                        ? references["documents"][base]
                        : Json::parse(TokenizerJson("small/" + base));
    for (const auto& [name, value] : changes.items()) {
      if (name == "model") {
        document[name].merge_patch(value);
      } else {
        document[name] = value;
      }
    }
    const auto tokenizer = LoadTokenizer(document.dump());
    ASSERT_NE(tokenizer, nullptr);
    for (const Json& expected : variant["cases"]) ExpectCase(*tokenizer, expected);
  }
}

TEST(TokenizerReferences, EveryNormalizerGivesTheLibrarysText) {
  const Json references = References();
  for (const Json& reference : references["normalizers"]) {
    SCOPED_TRACE(reference["normalizer"].dump());
    const auto json = JsonValue::Parse(reference["normalizer"].dump(), "normalizer");
    ASSERT_TRUE(json.ok()) << json.error().message;
    auto normalizers = ParseNormalizers(*json);
    ASSERT_TRUE(normalizers.ok()) << normalizers.error().message;
    for (const Json& expected : reference["cases"]) {
      NormalizedText text;
      NormalizedText spare;
      text.Assign(expected[0].get<std::string>(), 0, true);
      for (const auto& normalizer : *normalizers) normalizer->Apply(text, spare);
      EXPECT_EQ(text.text, expected[1].get<std::string>()) << expected[0];
      EXPECT_EQ(text.origin.size(), text.text.size());
    }
  }
}

// Words that can be cut in several ways of the same sum. Each case is a text and its ids.
class TokenizerTies : public testing::Test {
 protected:
  static void ExpectCases(const std::string& document, const Json& cases) {
    const auto tokenizer = LoadTokenizer(document);
    ASSERT_NE(tokenizer, nullptr);
    ASSERT_FALSE(cases.empty());
    EncodeOptions options;
    options.add_special_tokens = false;
    for (const Json& expected : cases) {
      const Encoding encoding = tokenizer->Encode(expected[0].get<std::string>(), options);
      EXPECT_EQ(encoding.ids, expected[1].get<std::vector<int32_t>>()) << expected[0];
    }
  }

  const Json ties_ = Json::parse(ReadWhole(TestData("expected/tokenizer.ties.json")));
};

TEST_F(TokenizerTies, RepeatedLettersAreCutAsTheLibraryCutsThem) {
  ExpectCases(TokenizerJson("bge-m3"), ties_["bge-m3"]);
}

TEST_F(TokenizerTies, MadeTiesAreDecidedAsTheLibraryDecidesThem) {
  ASSERT_FALSE(ties_["made"].empty());
  for (const Json& made : ties_["made"]) {
    const auto document = made["document"].get<std::string>();
    SCOPED_TRACE(document);
    ExpectCases(document, made["cases"]);
  }
}

TEST_F(TokenizerTies, ScoresHaveTheLibrarysValues) {
  ASSERT_FALSE(ties_["scores"].empty());
  for (const Json& score : ties_["scores"]) {
    EXPECT_EQ(ParseScore(score[0].get<std::string>()), score[1].get<double>()) << score[0];
  }
}

}  // namespace
}  // namespace embedding
