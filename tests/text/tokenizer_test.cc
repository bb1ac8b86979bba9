// What a user of Tokenizer relies on beyond single encodings: lookups, limits, long texts, threads.
#include "text/tokenizer.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <string>
#include <thread>
#include <vector>

#include "text/tokenizers.h"

namespace embedding {
namespace {

class TinyTokenizerTest : public testing::Test {
 protected:
  void SetUp() override {
    tokenizer_ = LoadTokenizer(TokenizerJson("tiny-bge-m3"));
    ASSERT_NE(tokenizer_, nullptr);
  }

  std::unique_ptr<Tokenizer> tokenizer_;
};

TEST_F(TinyTokenizerTest, FindsTokensAndIdsBothWays) {
  EXPECT_EQ(tokenizer_->vocab_size(), 8002U);
  EXPECT_EQ(tokenizer_->single_size().special_tokens, 2U);
  EXPECT_EQ(tokenizer_->pair_size().special_tokens, 4U);
  EXPECT_EQ(tokenizer_->pair_size().types, 1U);
  EXPECT_EQ(tokenizer_->TokenToId("<mask>"), 8001);
  EXPECT_EQ(tokenizer_->IdToToken(8001), "<mask>");
  EXPECT_EQ(tokenizer_->TokenToId("no such token"), std::nullopt);
  EXPECT_EQ(tokenizer_->IdToToken(8002), "");
  EXPECT_EQ(tokenizer_->IdToToken(-1), "");
  for (int32_t id = 0; id < 8002; ++id) {
    EXPECT_EQ(tokenizer_->TokenToId(tokenizer_->IdToToken(id)), id);
  }
}

TEST_F(TinyTokenizerTest, AnEmptyTextIsItsSpecialTokensAlone) {
  const Encoding encoding = tokenizer_->Encode("", {});
  EXPECT_EQ(encoding.ids, (std::vector<int32_t>{0, 2}));
  EXPECT_EQ(encoding.special_mask, (std::vector<uint8_t>{1, 1}));
  EncodeOptions bare;
  bare.add_special_tokens = false;
  EXPECT_TRUE(tokenizer_->Encode("", bare).ids.empty());
  EXPECT_TRUE(tokenizer_->Encode("\x01", bare).ids.empty());
}

TEST_F(TinyTokenizerTest, ALimitBelowTheSpecialTokensCutsThoseToo) {
  EncodeOptions options = {.max_tokens = 2, .with_offsets = true};
  EXPECT_EQ(tokenizer_->Encode("Hello world", options).ids, (std::vector<int32_t>{0, 2}));
  for (options.max_tokens = 1; options.max_tokens <= 4; ++options.max_tokens) {
    const Encoding pair = tokenizer_->EncodePair("Hello", "world", options);
    const std::vector<int32_t> special = {0, 2, 2, 2};
    EXPECT_EQ(pair.ids,
              std::vector<int32_t>(special.begin(),
                                   special.begin() + static_cast<ptrdiff_t>(options.max_tokens)));
    EXPECT_EQ(pair.type_ids.size(), options.max_tokens);
    EXPECT_EQ(pair.special_mask.size(), options.max_tokens);
    EXPECT_EQ(pair.offsets.size(), options.max_tokens);
    EXPECT_TRUE(pair.truncated());
  }
}

TEST_F(TinyTokenizerTest, PairsWithOneTextAreThosePairs) {
  const std::vector<std::string> seconds = {"world", "", "Hello world", "world"};
  const EncodeOptions options = {.max_tokens = 6, .with_offsets = true};
  const std::vector<Encoding> pairs = tokenizer_->EncodePairs("Hello", seconds, options);
  ASSERT_EQ(pairs.size(), seconds.size());
  for (size_t i = 0; i < seconds.size(); ++i) {
    const Encoding alone = tokenizer_->EncodePair("Hello", seconds[i], options);
    EXPECT_EQ(pairs[i].ids, alone.ids) << seconds[i];
    EXPECT_EQ(pairs[i].type_ids, alone.type_ids) << seconds[i];
    EXPECT_EQ(pairs[i].offsets.size(), alone.offsets.size()) << seconds[i];
    EXPECT_EQ(pairs[i].untruncated_tokens, alone.untruncated_tokens) << seconds[i];
  }
}

TEST_F(TinyTokenizerTest, ManyThreadsGetWhatOneGets) {
  std::vector<std::string> texts;
  texts.reserve(200);
  for (int i = 0; i < 200; ++i) {
    texts.push_back(std::string(static_cast<size_t>(i % 17), 'x') + " Ünïcödé ½ <mask> 東京 " +
                    std::to_string(i * 7919));
  }
  EncodeOptions options;
  options.with_offsets = true;
  std::vector<std::vector<int32_t>> expected;
  expected.reserve(texts.size());
  for (const std::string& text : texts) expected.push_back(tokenizer_->Encode(text, options).ids);
  std::vector<int> failures(4, 0);
  std::vector<std::thread> threads;
  threads.reserve(failures.size());
  for (int& failed : failures) {
    threads.emplace_back([&] {
      for (size_t i = 0; i < texts.size(); ++i) {
        failed += tokenizer_->Encode(texts[i], options).ids == expected[i] ? 0 : 1;
      }
    });
  }
  for (std::thread& thread : threads) thread.join();
  EXPECT_EQ(failures, (std::vector<int>(4, 0)));
}

// Hundreds of kilobytes without a place to cut: in quadratic time these would take an hour.
TEST_F(TinyTokenizerTest, TakesLongTextsInLinearTime) {
  constexpr size_t kRepeats = 100000;
  const std::vector<std::string> units = {"a",  "東",     "e\u0301", "<mask>",  " <mask>", "<",
                                          "  ", "\u0301", "क\u094D", "👨\u200D", "\uFDFA"};
  EncodeOptions options;
  options.with_offsets = true;
  options.add_special_tokens = false;
  for (const std::string& unit : units) {
    std::string text;
    for (size_t i = 0; i < kRepeats; ++i) text += unit;
    const auto chars = static_cast<size_t>(std::count_if(text.begin(), text.end(), [](char c) {
      return (static_cast<unsigned char>(c) & 0xC0) != 0x80;
    }));
    const Encoding encoding = tokenizer_->Encode(text, options);
    ASSERT_FALSE(encoding.ids.empty()) << unit;
    EXPECT_LE(encoding.offsets.back().end, chars) << unit;
    EXPECT_TRUE(
        std::is_sorted(encoding.offsets.begin(), encoding.offsets.end(),
                       [](const CharRange& a, const CharRange& b) { return a.begin < b.begin; }))
        << unit;
    if (unit == "<mask>") {
      EXPECT_EQ(encoding.ids, std::vector<int32_t>(kRepeats, 8001));
    }
  }
}

TEST(WordPieceTokenizer, AWordOfAMegabyteIsUnknown) {
  const auto tokenizer = LoadTokenizer(R"({
    "model": {"type": "WordPiece", "unk_token": "?", "continuing_subword_prefix": "##",
              "max_input_chars_per_word": 100, "vocab": {"?": 0, "a": 1, "##a": 2, "é": 3, "##é": 4}}})");
  ASSERT_NE(tokenizer, nullptr);
  std::string accented;
  for (int i = 0; i < 100; ++i) accented += "é";
  EXPECT_EQ(tokenizer->Encode(accented, {}).ids.size(), 100U);
  EXPECT_EQ(tokenizer->Encode(accented + "é", {}).ids, (std::vector<int32_t>{0}));
  EXPECT_EQ(tokenizer->Encode(std::string(100, 'a'), {}).ids.size(), 100U);
  EXPECT_EQ(tokenizer->Encode(std::string(101, 'a'), {}).ids, (std::vector<int32_t>{0}));
  EXPECT_EQ(tokenizer->Encode(std::string(1 << 20, 'a'), {}).ids, (std::vector<int32_t>{0}));
}

TEST(UnigramTokenizer, CutsByTheLargestSumAndFusesTheUnknown) {
  const auto tokenizer = LoadTokenizer(R"({
    "model": {"type": "Unigram", "unk_id": 0, "vocab":
      [["<unk>", 0], ["a", 0], ["b", 0], ["c", 0], ["d", 0], ["cd", 1], ["ab", 2], ["abc", 5],
       ["abcd", 10]]}})");
  ASSERT_NE(tokenizer, nullptr);
  EncodeOptions options;
  options.with_offsets = true;
  const Encoding encoding = tokenizer->Encode("abcdacdxéx", options);
  EXPECT_EQ(encoding.ids, (std::vector<int32_t>{8, 1, 5, 0}));
  EXPECT_EQ(encoding.offsets.back().begin, 7U);
  EXPECT_EQ(encoding.offsets.back().end, 10U);
}

TEST(UnigramTokenizer, AnUnknownCharacterCostsTenMoreThanTheWorstPiece) {
  const auto tokenizer = LoadTokenizer(R"({
    "model": {"type": "Unigram", "unk_id": 0, "vocab":
      [["<unk>", 0], ["xy", -5], ["z", -5], ["yz", 0], ["vw", -5], ["u", -10.5], ["uv", 0]]}})");
  ASSERT_NE(tokenizer, nullptr);
  // -5 - 5 against -20.5 + 0.
  EXPECT_EQ(tokenizer->Encode("xyz", {}).ids, (std::vector<int32_t>{1, 2}));
  // -10.5 - 5 against 0 - 20.5.
  EXPECT_EQ(tokenizer->Encode("uvw", {}).ids, (std::vector<int32_t>{5, 4}));
}

}  // namespace
}  // namespace embedding
