#include "text/vocabulary_files.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <nlohmann/json.hpp>

#include "text/tokenizers.h"

namespace embedding {
namespace {

using nlohmann::json;
using testing::AllOf;
using testing::HasSubstr;

json WordPieceVocabulary(std::string_view vocab_txt) {
  const auto document = WordPieceDocument(vocab_txt);
  EXPECT_TRUE(document.ok());
  const json parsed = json::parse(*document);
  EXPECT_EQ(parsed.at("model").at("type"), "WordPiece");
  return parsed.at("model").at("vocab");
}

// As WordPiece(vocab=PATH) of tokenizers 0.23 reads it; the ids are its get_vocab()'s.
TEST(VocabularyFiles, ReadsALineAPiece) {
  EXPECT_EQ(WordPieceVocabulary("[PAD]\r\n[UNK]\n\nhello \nworld\u3000\nhello\n##x\n\n"),
            json({{"[PAD]", 0}, {"[UNK]", 1}, {"world", 4}, {"hello", 5}, {"##x", 6}, {"", 7}}));
  EXPECT_EQ(
      WordPieceVocabulary("\uFEFF[PAD]\n[UNK]\na\u0085\nb\u001C\nc\u000B\nd\u200B"),
      json({{"\uFEFF[PAD]", 0}, {"[UNK]", 1}, {"a", 2}, {"b\u001C", 3}, {"c", 4}, {"d\u200B", 5}}));
  EXPECT_EQ(WordPieceVocabulary("\"\\\n\t\"\n"), json({{"\"\\", 0}, {"\t\"", 1}}));
  EXPECT_EQ(WordPieceVocabulary(""), json::object());
}

TEST(VocabularyFiles, NamesTheLineOfAPieceThatIsNotUtf8) {
  const auto document = WordPieceDocument("a\nb\xC3\nc\n");
  ASSERT_FALSE(document.ok());
  EXPECT_THAT(document.error().message, HasSubstr("line 2 is not UTF-8"));
}

Result<std::string> Bpe(std::string_view vocab_json, std::string_view merges_txt) {
  return BpeDocument(*JsonValue::Parse(vocab_json, "vocab.json"), merges_txt);
}

TEST(VocabularyFiles, ReadsMergesBestFirst) {
  constexpr std::string_view kVocabulary = R"({"a": 0, "b": 1, "ab": 2, "abab": 3})";
  for (const char* merges : {"a b\nab ab\n", "a b\nab ab", "#version: 0.2\na b\nab ab\n",
                             "#version: 0.2\r\na b\r\nab ab\r\n", "a b\n#version\nab ab\n"}) {
    const auto document = Bpe(kVocabulary, merges);
    ASSERT_TRUE(document.ok()) << document.error().message;
    EXPECT_EQ(json::parse(*document).at("model"), json::parse(R"({"type": "BPE",
                  "vocab": {"a": 0, "b": 1, "ab": 2, "abab": 3},
                  "merges": [["a", "b"], ["ab", "ab"]]})"))
        << merges;
  }
}

TEST(VocabularyFiles, NamesTheLineOfAMergeThatCannotBe) {
  const auto error = [](std::string_view merges) {
    const auto document = Bpe(R"({"a": 0, "b": 1, "ab": 2})", merges);
    return document.ok() ? "" : document.error().message;
  };
  for (const char* broken : {"a b\n\n", "a b\nab", "a b\na  b", "a b\na b ", "a b\n a b"}) {
    EXPECT_THAT(error(broken), HasSubstr("line 2 must be two pieces")) << broken;
  }
  EXPECT_THAT(error("a b\na c\n"), AllOf(HasSubstr("line 2"), HasSubstr("\"c\"")));
  EXPECT_THAT(error("c a\n"), AllOf(HasSubstr("line 1"), HasSubstr("\"c\"")));
  EXPECT_THAT(error("b a\n"), AllOf(HasSubstr("line 1"), HasSubstr("\"ba\"")));
  EXPECT_FALSE(Bpe("[]", "").ok());
}

// Scores keep every bit: they are doubles that were floats.
TEST(VocabularyFiles, WritesScoresInFull) {
  const std::vector<ScoredPiece> pieces = {
      {"a", -3.2616605758666992}, {"\u2581", 0}, {"\n", -1e-40}};
  const json model = json::parse(UnigramDocument(pieces)).at("model");
  EXPECT_EQ(model.at("type"), "Unigram");
  ASSERT_EQ(model.at("vocab").size(), 3U);
  for (size_t i = 0; i < pieces.size(); ++i) {
    EXPECT_EQ(model["vocab"][i][0], pieces[i].text);
    EXPECT_EQ(model["vocab"][i][1].get<double>(), pieces[i].score);
  }
}

TEST(Merges, AreRankedByWhatComesOfThem) {
  const std::vector<std::string_view> pieces = {"a",   "b",  "ab",      "\u00e9",
                                                "aab", "aa", "b\u00e9", "aa"};
  const std::vector<Merge> merges = GenerateMerges(pieces);
  std::vector<std::pair<std::string, std::string>> found;
  for (const Merge& merge : merges) found.emplace_back(merge.left, merge.right);
  // generate_merges of transformers 5.23 for {piece: its last place}.
  EXPECT_THAT(found, testing::ElementsAre(testing::Pair("a", "b"), testing::Pair("a", "ab"),
                                          testing::Pair("aa", "b"), testing::Pair("b", "\u00e9"),
                                          testing::Pair("a", "a")));
}

// Hashing the ends of long pieces would take hours.
TEST(Merges, TakeTimeLinearInThePieces) {
  const std::string text(2'000'000, 'a');
  const std::vector<std::string_view> pieces = {text, std::string_view(text).substr(1),
                                                std::string_view(text).substr(2), "a"};
  EXPECT_EQ(GenerateMerges(pieces).size(), 4U);
}

}  // namespace
}  // namespace embedding
