// 5,000 texts in 80 languages, with code, emoji, control characters and long runs, through
// tokenizers of well-known models and small ones of each kind, against what the `tokenizers`
// library gave (see tests/data/make_tokenizer_digests.py).
#include <gtest/gtest.h>

#include <nlohmann/json.hpp>
#include <span>
#include <string>
#include <vector>

#include "base/sha256.h"
#include "test_data.h"
#include "text/tokenizers.h"

namespace embedding {
namespace {

using Json = nlohmann::json;

std::vector<std::string> Texts() {
  std::vector<std::string> texts;
  std::ifstream first(TestData("expected/tokens.bge-m3.jsonl"));
  for (std::string line; std::getline(first, line);) texts.push_back(Json::parse(line)["text"]);
  std::ifstream second(TestData("expected/tokenizer_texts.jsonl"));
  for (std::string line; std::getline(second, line);) texts.push_back(Json::parse(line));
  return texts;
}

// By tokenizer, 16 hexadecimal digits a text.
Json Digests() {
  Json digests;
  std::ifstream lines(TestData("expected/tokenizer_digests.jsonl"));
  for (std::string line; std::getline(lines, line);) {
    const Json row = Json::parse(line);
    digests[row["tokenizer"].get<std::string>()] = row["digests"];
  }
  return digests;
}

template <typename Values>
std::string Hex(const Values& values, size_t digits) {
  Sha256 sha;
  sha.Update(std::as_bytes(std::span(values)));
  return sha.Hex().substr(0, digits);
}

class TokenizerDigests : public testing::TestWithParam<std::string> {};

TEST_P(TokenizerDigests, AreTheLibrarysOfEveryText) {
  const std::string json = TokenizerJson(GetParam());
  if (json.empty()) {
    GTEST_SKIP() << GetParam() << " is not in models/: scripts/fetch_tokenizers.sh fetches it";
  }
  const auto tokenizer = LoadTokenizer(json);
  ASSERT_NE(tokenizer, nullptr);
  const std::vector<std::string> texts = Texts();
  ASSERT_EQ(texts.size(), 5000U);
  const Json digests = Digests();
  ASSERT_TRUE(digests.contains(GetParam()));
  const std::string expected = digests[GetParam()];
  for (size_t i = 0; i < texts.size(); ++i) {
    const Encoding encoding = tokenizer->Encode(texts[i], {.with_offsets = true});
    const Result<std::string> decoded = tokenizer->Decode(encoding.ids, true);
    ASSERT_TRUE(decoded.ok()) << decoded.error().message;
    ASSERT_EQ(Hex(encoding.ids, 6), expected.substr(i * 16, 6)) << "ids of " << Json(texts[i]);
    ASSERT_EQ(Hex(encoding.offsets, 5), expected.substr((i * 16) + 6, 5))
        << "offsets of " << Json(texts[i]);
    ASSERT_EQ(Hex(*decoded, 5), expected.substr((i * 16) + 11, 5))
        << "decoded ids of " << Json(texts[i]);
    ASSERT_EQ(tokenizer->Encode(texts[i], {}).ids, encoding.ids) << Json(texts[i]);
  }
}

INSTANTIATE_TEST_SUITE_P(Tokenizers, TokenizerDigests,
                         testing::Values("qwen3", "gemma3", "llama3", "llama2", "deepseek_v3",
                                         "gpt4o", "claude", "all-MiniLM-L6-v2", "bge-m3"),
                         [](const auto& test) {
                           std::string name = test.param;
                           std::erase(name, '-');
                           return name;
                         });
INSTANTIATE_TEST_SUITE_P(Small, TokenizerDigests,
                         testing::Values("small/roberta", "small/modernbert", "small/llama2",
                                         "small/t5", "small/clip", "small/subwords", "small/words"),
                         [](const auto& test) { return test.param.substr(6); });

}  // namespace
}  // namespace embedding
