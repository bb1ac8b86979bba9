// Byte-pair encoding in cases small enough to read, and in words of any length against a merger
// that is slow and simple. That it gives the library's tokens is reference_test.cc's business.
#include <gtest/gtest.h>

#include <algorithm>
#include <nlohmann/json.hpp>
#include <random>
#include <string>
#include <utility>
#include <vector>

#include "text/bpe_merger.h"
#include "text/tokenizers.h"

namespace embedding {
namespace {

using Json = nlohmann::json;
using Ids = std::vector<int32_t>;

constexpr char kModel[] = R"({"type": "BPE", "unk_token": "?",
  "vocab": {"?": 0, "a": 1, "b": 2, "c": 3, "ab": 4, "bc": 5, "aa": 6, "abc": 7, "<0xC3>": 8,
            "<0xA9>": 9},
  "merges": [["b", "c"], ["a", "b"], ["a", "a"], ["a", "bc"]]})";

// A tokenizer of this model with other values in its place.
std::unique_ptr<Tokenizer> Make(const Json& changes = Json::object()) {
  Json model = Json::parse(kModel);
  model.merge_patch(changes);
  return LoadTokenizer(Json{{"model", model}}.dump());
}

TEST(BpeTokenizer, MergesByRankAndThenFromTheLeft) {
  const auto tokenizer = Make();
  ASSERT_NE(tokenizer, nullptr);
  EXPECT_EQ(tokenizer->Encode("abc", {}).ids, (Ids{7}));
  EXPECT_EQ(tokenizer->Encode("abab", {}).ids, (Ids{4, 4}));
  EXPECT_EQ(tokenizer->Encode("aaa", {}).ids, (Ids{6, 1}));
  EXPECT_EQ(tokenizer->Encode("aab", {}).ids, (Ids{1, 4}));
}

TEST(BpeTokenizer, GivesUnknownCharactersOneByOneOrFused) {
  const auto single = Make();
  EXPECT_EQ(single->Encode("xyab", {}).ids, (Ids{0, 0, 4}));
  const auto fused = Make({{"fuse_unk", true}});
  const Encoding encoding = fused->Encode("xéab東", {.with_offsets = true});
  EXPECT_EQ(encoding.ids, (Ids{0, 4, 0}));
  EXPECT_EQ(encoding.offsets[0].end, 2U);
  EXPECT_EQ(encoding.offsets[2].begin, 4U);
  const auto none = Make({{"unk_token", nullptr}});
  EXPECT_EQ(none->Encode("xyab", {}).ids, (Ids{4}));
}

TEST(BpeTokenizer, FallsBackToBytesOnlyWhereAllArePieces) {
  const auto tokenizer = Make({{"byte_fallback", true}});
  EXPECT_EQ(tokenizer->Encode("aéa", {}).ids, (Ids{1, 8, 9, 1}));
  EXPECT_EQ(tokenizer->Encode("aèa", {}).ids, (Ids{1, 0, 1}));
}

TEST(BpeTokenizer, IgnoresMergesForWholeWordsAlone) {
  const Json vocab = {{"vocab", {{"aabc", 10}}}};
  EXPECT_EQ(Make(vocab)->Encode("aabc", {}).ids, (Ids{6, 5}));
  Json changes = vocab;
  changes["ignore_merges"] = true;
  EXPECT_EQ(Make(changes)->Encode("aabc", {}).ids, (Ids{10}));
  EXPECT_EQ(Make(changes)->Encode("aabca", {}).ids, (Ids{6, 5, 1}));
}

TEST(BpeTokenizer, MarksWhatContinuesAWordAndWhatEndsIt) {
  const auto tokenizer = LoadTokenizer(R"({"model": {"type": "BPE", "unk_token": "?",
    "continuing_subword_prefix": "##", "end_of_word_suffix": "$",
    "vocab": {"?": 0, "a": 1, "##b": 2, "##c$": 3, "ab": 4, "abc$": 5, "a$": 6},
    "merges": ["a ##b", "ab ##c$"]}})");
  ASSERT_NE(tokenizer, nullptr);
  EXPECT_EQ(tokenizer->Encode("abc", {}).ids, (Ids{5}));
  EXPECT_EQ(tokenizer->Encode("a", {}).ids, (Ids{6}));
  EXPECT_EQ(tokenizer->Encode("ab", {}).ids, (Ids{1, 0}));
}

// Two models on one thread share its cache of words, and not what is in it.
TEST(BpeTokenizer, RemembersWordsByModel) {
  const auto one = Make();
  const auto other = Make({{"merges", Json::array()}});
  for (int i = 0; i < 2; ++i) {
    EXPECT_EQ(one->Encode("abc", {}).ids, (Ids{7}));
    EXPECT_EQ(other->Encode("abc", {}).ids, (Ids{1, 2, 3}));
  }
}

// The merger as it is defined, in time of the square of the word.
std::vector<BpeSymbol> MergeSlowly(const MergeTable& merges, std::vector<BpeSymbol> symbols) {
  for (;;) {
    uint32_t least = MergeTable::kNever;
    size_t place = 0;
    for (size_t i = 0; i + 1 < symbols.size(); ++i) {
      const uint32_t rank = merges.RankOf(symbols[i].id, symbols[i + 1].id);
      if (rank < least) {
        least = rank;
        place = i;
      }
    }
    if (least == MergeTable::kNever) return symbols;
    symbols[place].id = merges.MergedBy(least);
    symbols[place].size_bytes += symbols[place + 1].size_bytes;
    symbols.erase(symbols.begin() + static_cast<ptrdiff_t>(place) + 1);
  }
}

TEST(MergeSymbols, IsTheDefinitionForWordsOfAnyLength) {
  std::mt19937 random(3);
  for (int round = 0; round < 30; ++round) {
    // Three letters, and what two tokens that are there already become.
    std::vector<MergeTable::Merge> list;
    int32_t ids = 3;
    for (int i = 0; i < 40; ++i) {
      const auto draw = [&] { return static_cast<int32_t>(random() % static_cast<size_t>(ids)); };
      list.push_back({draw(), draw(), ids});
      ++ids;
    }
    const MergeTable merges(list);
    for (const size_t size : {1U, 2U, 3U, 7U, 20U, 39U, 40U, 41U, 42U, 64U, 200U, 700U}) {
      std::vector<BpeSymbol> symbols;
      for (size_t i = 0; i < size; ++i) symbols.push_back({static_cast<int32_t>(random() % 3), 1});
      const std::vector<BpeSymbol> expected = MergeSlowly(merges, symbols);
      MergeSymbols(merges, symbols);
      ASSERT_EQ(symbols.size(), expected.size()) << size;
      for (size_t i = 0; i < symbols.size(); ++i) {
        EXPECT_EQ(symbols[i].id, expected[i].id);
        EXPECT_EQ(symbols[i].size_bytes, expected[i].size_bytes);
      }
    }
  }
}

TEST(MergeTable, OfAPairThatIsThereTwiceTheLastCounts) {
  const MergeTable merges({{1, 2, 3}, {2, 2, 4}, {1, 2, 5}});
  EXPECT_EQ(merges.RankOf(1, 2), 2U);
  EXPECT_EQ(merges.MergedBy(2), 5);
  EXPECT_EQ(merges.RankOf(2, 1), MergeTable::kNever);
}

// Words of hundreds of kilobytes. In time of the square these would take an hour.
TEST(BpeTokenizer, TakesLongWordsInNearlyLinearTime) {
  constexpr size_t kRepeats = 100000;
  for (const char* name : {"small/roberta", "small/llama2", "small/clip", "small/modernbert"}) {
    const auto tokenizer = LoadTokenizer(TokenizerJson(name));
    ASSERT_NE(tokenizer, nullptr);
    for (const std::string unit : {"a", "ab", "东", "\n", " ", "\n ", "▁", "e\u0301", "1", "'s"}) {
      SCOPED_TRACE(std::string(name) + " " + unit);
      std::string text;
      for (size_t i = 0; i < kRepeats; ++i) text += unit;
      const Encoding encoding =
          tokenizer->Encode(text, {.add_special_tokens = false, .with_offsets = true});
      EXPECT_TRUE(
          std::is_sorted(encoding.offsets.begin(), encoding.offsets.end(),
                         [](const CharRange& a, const CharRange& b) { return a.begin < b.begin; }));
      if (encoding.ids.empty()) continue;  // clip leaves nothing of white space
      EXPECT_LE(encoding.offsets.back().end, kRepeats * 2);
    }
  }
}

}  // namespace
}  // namespace embedding
