// What is refused of a tokenizer.json, and that the message names it.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <nlohmann/json.hpp>
#include <string>
#include <utility>
#include <vector>

#include "text/tokenizers.h"

namespace embedding {
namespace {

using Json = nlohmann::json;
using testing::AllOf;
using testing::HasSubstr;

Json Unigram() {
  return Json::parse(R"({
    "version": "1.0",
    "added_tokens": [{"id": 0, "content": "<unk>", "single_word": false, "lstrip": false,
                      "rstrip": false, "normalized": false, "special": true}],
    "normalizer": {"type": "Lowercase"},
    "pre_tokenizer": {"type": "Metaspace", "replacement": "_"},
    "post_processor": {"type": "TemplateProcessing",
      "single": [{"Sequence": {"id": "A", "type_id": 0}}, {"SpecialToken": {"id": "s", "type_id": 0}}],
      "pair": [{"Sequence": {"id": "A", "type_id": 0}}, {"Sequence": {"id": "B", "type_id": 1}}],
      "special_tokens": {"s": {"id": "s", "ids": [2], "tokens": ["a"]}}},
    "model": {"type": "Unigram", "unk_id": 0, "byte_fallback": false,
              "vocab": [["<unk>", 0], ["_", -1], ["a", -2.5]]}})");
}

Json WordPiece() {
  Json document = Unigram();
  document["model"] = Json::parse(R"({"type": "WordPiece", "unk_token": "<unk>",
    "continuing_subword_prefix": "##", "max_input_chars_per_word": 100,
    "vocab": {"<unk>": 0, "_": 1, "a": 2}})");
  return document;
}

Json WordLevel() {
  Json document = WordPiece();
  document["model"] = Json::parse(R"({"type": "WordLevel", "unk_token": "<unk>",
    "vocab": {"<unk>": 0, "_": 1, "a": 2}})");
  return document;
}

Json Bpe() {
  Json document = Unigram();
  document["model"] = Json::parse(R"({"type": "BPE", "dropout": null, "unk_token": "<unk>",
    "vocab": {"<unk>": 0, "b": 1, "a": 2, "ab": 3}, "merges": [["a", "b"]]})");
  return document;
}

std::string Refusal(std::string_view json) {
  const Result<std::unique_ptr<Tokenizer>> tokenizer = Tokenizer::FromJson(json);
  if (tokenizer.ok()) return "";
  EXPECT_EQ(tokenizer.error().code, ErrorCode::kModelLoad);
  return tokenizer.error().message;
}

// The document with the value at a JSON pointer replaced by `value`.
std::string With(Json document, const std::string& pointer, const std::string& value) {
  document[Json::json_pointer(pointer)] = Json::parse(value);
  return document.dump();
}

TEST(TokenizerJson, LoadsTheDocumentsThatTheCasesBelowChange) {
  EXPECT_EQ(Refusal(Unigram().dump()), "");
  EXPECT_EQ(Refusal(WordPiece().dump()), "");
}

TEST(TokenizerJson, RefusesComponentsThatAreNotSupportedByName) {
  for (const std::string place : {"model", "normalizer", "pre_tokenizer", "post_processor"}) {
    EXPECT_THAT(Refusal(With(Unigram(), "/" + place, R"({"type": "Mystery"})")),
                AllOf(HasSubstr(place + " is of type \"Mystery\""), HasSubstr("not supported")));
  }
  EXPECT_THAT(
      Refusal(With(Unigram(), "/normalizer",
                   R"({"type": "Sequence", "normalizers": [{"type": "NFC"}, {"type": "Nmx"}]})")),
      HasSubstr("normalizer.normalizers[1] is of type \"Nmx\""));
}

// Messages end in a terminal and a log.
TEST(TokenizerJson, ShowsNamesWithoutWhatWouldMoveACursor) {
  const std::string name = "\x1b[2K\n\x7f";
  const std::string shown = R"("\x1b[2K\x0a\x7f")";
  const auto of_type = [](const std::string& type) { return Json{{"type", type}}; };
  for (const std::string place : {"model", "normalizer", "pre_tokenizer", "post_processor"}) {
    Json document = Unigram();
    document[place] = of_type(name);
    EXPECT_THAT(Refusal(document.dump()), HasSubstr(place + " is of type " + shown));
  }
  for (const Json& model : {WordPiece(), Bpe(), WordLevel()}) {
    Json document = model;
    document["model"]["unk_token"] = name;
    EXPECT_THAT(Refusal(document.dump()), HasSubstr("lacks the unk_token " + shown));
    document = model;
    document["model"]["vocab"][name] = -1;
    EXPECT_THAT(Refusal(document.dump()), HasSubstr("has the piece " + shown + " with an id"));
  }
  Json document = Unigram();
  document["post_processor"]["single"][0]["Sequence"]["id"] = name;
  EXPECT_THAT(Refusal(document.dump()), HasSubstr("names no sequence: " + shown));
}

TEST(TokenizerJson, ShowsARegularExpressionThatIsNotSupported) {
  const std::string split =
      R"({"type": "Split", "behavior": "Isolated", "invert": false, "pattern": {"Regex": "(?<=x)y"}})";
  EXPECT_THAT(Refusal(With(Unigram(), "/pre_tokenizer", split)),
              AllOf(HasSubstr("pre_tokenizer.pattern.Regex is a regular expression that is not "
                              "supported: \"(?<=x)y\" has a group"),
                    HasSubstr("(?i:...)")));
  const std::string replace = R"({"type": "Replace", "content": "", "pattern": {"Regex": "a*"}})";
  EXPECT_THAT(Refusal(With(Unigram(), "/normalizer", replace)),
              HasSubstr("normalizer.pattern.Regex is a regular expression that is not supported: "
                        "\"a*\" has a match of nothing"));
}

TEST(TokenizerJson, RefusesMergesThatTheVocabularyCannotMake) {
  EXPECT_EQ(Refusal(Bpe().dump()), "");
  const std::vector<std::pair<std::string, std::string>> cases = {
      {R"([["a", "b"], ["ab", "c"]])", "merge 1 needs the piece \"c\", which the vocabulary lacks"},
      {R"([["b", "a"]])", "merge 0 needs the piece \"ba\""},
      {R"(["a b c"])", "model.merges must have two pieces at [0]"},
      {R"(["a b", "ab"])", "model.merges must have two pieces at [1]"},
      {R"([["a", "b", "c"]])", "two pieces at [0]"},
      {R"([["a", 1]])", "two pieces at [0]"},
      {R"({})", "model.merges must be an array"},
  };
  for (const auto& [merges, problem] : cases) {
    EXPECT_THAT(Refusal(With(Bpe(), "/model/merges", merges)), HasSubstr(problem));
  }
  EXPECT_EQ(Refusal(With(Bpe(), "/model/merges", R"(["#version: 0.2", "a b"])")), "");
}

TEST(TokenizerJson, RefusesWhatABpeModelCannotDo) {
  EXPECT_EQ(Refusal(With(Bpe(), "/model/dropout", "0.0")), "");
  EXPECT_THAT(Refusal(With(Bpe(), "/model/dropout", "0.1")),
              AllOf(HasSubstr("model.dropout is not 0"), HasSubstr("set it to null")));
  EXPECT_THAT(Refusal(With(Bpe(), "/model/unk_token", "\"?\"")),
              HasSubstr("model: the vocabulary lacks the unk_token \"?\""));
  Json document = Bpe();
  document["model"]["byte_fallback"] = true;
  document["model"]["end_of_word_suffix"] = "</w>";
  EXPECT_THAT(Refusal(document.dump()), HasSubstr("byte_fallback together with"));
}

TEST(TokenizerJson, NamesTheValueThatCannotBeUsed) {
  struct Case {
    Json document;
    std::string pointer;
    std::string value;
    std::string named;
  };
  const std::vector<Case> cases = {
      {Unigram(), "/version", "\"2.0\"", "version"},
      {Unigram(), "/version", "1", "version must be a string"},
      {Unigram(), "/model", "[]", "model"},
      {Unigram(), "/model/type", "3", "model.type must be a string"},
      {Unigram(), "/model/vocab", "{}", "model.vocab must be an array"},
      {Unigram(), "/model/vocab", "[]", "unk_id"},
      {Unigram(), "/model/vocab/1", R"(["_"])", "[1]"},
      {Unigram(), "/model/vocab/1", R"(["_", "-1"])", "[1]"},
      {Unigram(), "/model/vocab/1", R"(["_", null])", "[1]"},
      {Unigram(), "/model/vocab/2", R"([7, -1])", "[2]"},
      {Unigram(), "/model/unk_id", "3", "unk_id 3"},
      {Unigram(), "/model/unk_id", "-1", "model.unk_id"},
      {Unigram(), "/model/unk_id", "null", "model.unk_id"},
      {WordPiece(), "/model/vocab", "[]", "model.vocab must be an object"},
      {WordPiece(), "/model/vocab/a", "-1", "\"a\""},
      {WordPiece(), "/model/vocab/a", "1.5", "\"a\""},
      {WordPiece(), "/model/vocab/a", "99999999999", "\"a\""},
      {WordPiece(), "/model/vocab/a", "2147483647", "\"a\""},
      {WordPiece(), "/model/vocab/a", "1", "id 1 is given to two pieces"},
      {WordPiece(), "/model/unk_token", "\"[UNK]\"", "[UNK]"},
      {WordPiece(), "/model/max_input_chars_per_word", "-5", "max_input_chars_per_word"},
      {Unigram(), "/added_tokens", "{}", "added_tokens must be an array"},
      {Unigram(), "/added_tokens/0", "{}", "added_tokens[0]"},
      {Unigram(), "/added_tokens/0/id", "-1", "added_tokens[0].id"},
      {Unigram(), "/added_tokens/0/id", "4294967296", "added_tokens[0].id"},
      {Unigram(), "/added_tokens/0/lstrip", "1", "added_tokens[0].lstrip"},
      {Unigram(), "/normalizer", "{}", "normalizer.type is missing"},
      {Unigram(), "/normalizer", "3", "normalizer must be an object"},
      {Unigram(), "/normalizer", R"({"type": "Precompiled", "precompiled_charsmap": "abc"})",
       "normalizer.precompiled_charsmap is not base64"},
      {Unigram(), "/normalizer", R"({"type": "Precompiled", "precompiled_charsmap": "/////w=="})",
       "normalizer.precompiled_charsmap says that its trie has"},
      {Unigram(), "/normalizer", R"({"type": "Replace", "pattern": {"String": ""}, "content": ""})",
       "normalizer.pattern is empty"},
      {Unigram(), "/pre_tokenizer/replacement", "\"ab\"", "replacement must be one character"},
      {Unigram(), "/pre_tokenizer/replacement", "\"\"", "replacement must be one character"},
      {Unigram(), "/pre_tokenizer/prepend_scheme", "\"last\"", "prepend_scheme"},
      {Unigram(), "/pre_tokenizer/add_prefix_space", "false", "contradicts prepend_scheme"},
      {Unigram(), "/model/byte_fallback", "1", "model.byte_fallback must be true or false"},
      {Unigram(), "/model", R"({"type": "WordLevel", "vocab": {"a": 0}, "unk_token": "x"})",
       "the vocabulary lacks the unk_token \"x\""},
      {Unigram(), "/pre_tokenizer",
       R"({"type": "Split", "pattern": {"String": "a"}, "behavior": "isolated", "invert": false})",
       "pre_tokenizer.behavior must be \"Removed\""},
      {Unigram(), "/pre_tokenizer",
       R"({"type": "Split", "pattern": {}, "behavior": "Isolated", "invert": false})",
       "pre_tokenizer.pattern.String is missing"},
      {Unigram(), "/pre_tokenizer", R"({"type": "Digits"})", "individual_digits is missing"},
      {Unigram(), "/pre_tokenizer", R"({"type": "FixedLength", "length": 0})",
       "pre_tokenizer.length must be"},
      {Unigram(), "/pre_tokenizer", R"({"type": "CharDelimiterSplit", "delimiter": "--"})",
       "pre_tokenizer.delimiter must be one character"},
      {Unigram(), "/pre_tokenizer", R"({"type": "Sequence", "pretokenizers": [
         {"type": "ByteLevel", "add_prefix_space": true, "use_regex": false},
         {"type": "ByteLevel", "add_prefix_space": true, "use_regex": false}]})",
       "pre_tokenizer.pretokenizers[1] is a second ByteLevel"},
      {Unigram(), "/post_processor", R"({"type": "ByteLevel"})", "trim_offsets is missing"},
      {Unigram(), "/post_processor", R"({"type": "Sequence", "processors": [
         {"type": "BertProcessing", "sep": ["a", 1], "cls": ["a", 1]},
         {"type": "ByteLevel", "trim_offsets": true, "add_prefix_space": true}]})",
       "post_processor.processors[1] is a ByteLevel behind a BertProcessing"},
      {Unigram(), "/post_processor", R"({"type": "Sequence", "processors": [
         {"type": "BertProcessing", "sep": ["a", 1], "cls": ["a", 1]},
         {"type": "BertProcessing", "sep": ["a", 1], "cls": ["a", 1]}]})",
       "post_processor.processors[1] is a BertProcessing behind a BertProcessing"},
      {Unigram(), "/decoder", R"({"type": "Strip", "content": " ", "start": -1, "stop": 0})",
       "decoder.start must be"},
      {Unigram(), "/decoder", R"({"type": "Sequence", "decoders": [{"type": "BPEDecoder"}]})",
       "decoder.decoders[0].suffix is missing"},
      {Unigram(), "/decoder", R"({"type": "Metaspace", "replacement": ""})",
       "decoder.replacement must be one character"},
      {Unigram(), "/decoder", R"({"type": "Metaspace", "replacement": "ab"})",
       "decoder.replacement must be one character"},
      {Unigram(), "/post_processor/single/0/Sequence/id", "\"B\"", "post_processor.single[0]"},
      {Unigram(), "/post_processor/special_tokens/s/ids", Json(std::vector<int>(16385, 2)).dump(),
       "post_processor.single has more than 16384 pieces"},
      {Unigram(), "/post_processor/single/1/SpecialToken/id", "\"t\"",
       "special_tokens.t is missing"},
      {Unigram(), "/post_processor/special_tokens/s/ids/0", "-2", "special_tokens.s.ids[0]"},
      {Unigram(), "/post_processor/pair", "3", "post_processor.pair must be an array"},
      {Unigram(), "/post_processor/pair/1/Sequence/id", "\"A\"",
       "post_processor.pair[1].Sequence has the sequence A a second time"},
      {Unigram(), "/post_processor/single/1", R"({"Sequence": {"id": "A", "type_id": 0}})",
       "post_processor.single[1].Sequence has the sequence A a second time"},
      {Unigram(), "/post_processor/pair", R"([{"Sequence": {"id": "A", "type_id": 0}}])",
       "post_processor.pair must have both sequences"},
      {Unigram(), "/post_processor/single/0/Sequence/type_id", "2147483648",
       "post_processor.single[0].Sequence.type_id"},
      {Unigram(), "/post_processor/single/1/SpecialToken/type_id", "-1",
       "post_processor.single[1].SpecialToken.type_id"},
  };
  for (const Case& c : cases) {
    EXPECT_THAT(Refusal(With(c.document, c.pointer, c.value)), HasSubstr(c.named))
        << c.pointer << " = " << c.value;
  }
}

TEST(TokenizerJson, RefusesWhatIsNoJsonOrLacksAModel) {
  EXPECT_THAT(Refusal(""), HasSubstr("not valid JSON: "));
  EXPECT_THAT(Refusal("{"), HasSubstr("not valid JSON: "));
  EXPECT_THAT(Refusal("\xFF"), HasSubstr("not valid JSON: "));
  EXPECT_THAT(Refusal(std::string(1000, '[') + std::string(1000, ']')), HasSubstr("64 levels"));
  EXPECT_THAT(Refusal(R"({"model": {"type": "Unigram", "unk_id": 0, "vocab": [["a", NaN]]}})"),
              HasSubstr("not valid JSON: "));
  EXPECT_THAT(Refusal(R"({"model": {"type": "Unigram", "unk_id": 0, "vocab": [["a", 1e309]]}})"),
              HasSubstr("model.vocab has no score that can be used at [0]"));
  // A double, but not by the library's rounding, which refuses it too.
  EXPECT_THAT(Refusal(R"({"model": {"type": "Unigram", "unk_id": 0, "vocab":
                [["a", -1], ["b", 17976931348623158e292]]}})"),
              HasSubstr("model.vocab has no score that can be used at [1]"));
  EXPECT_THAT(Refusal("[]"), HasSubstr("must be a JSON object"));
  EXPECT_THAT(Refusal("{}"), HasSubstr("model is missing"));
  EXPECT_THAT(Refusal(R"({"model": {"type": "WordPiece", "unk_token": "a",
                "continuing_subword_prefix": "", "max_input_chars_per_word": 9,
                "vocab": {"a": 0, "b": 1, "a": 2}}})"),
              HasSubstr("\"a\" twice"));
}

// A file of a kilobyte could else make a text of a kilobyte one of a terabyte.
TEST(TokenizerJson, RefusesNormalizersThatMakeATextMuchLonger) {
  const Json doubled =
      Json::parse(R"({"type": "Replace", "pattern": {"String": "a"}, "content": "aa"})");
  const auto refusal = [](const Json& normalizers) {
    return Refusal(With(Unigram(), "/normalizer",
                        Json{{"type", "Sequence"}, {"normalizers", normalizers}}.dump()));
  };
  EXPECT_EQ(refusal(std::vector<Json>(10, doubled)), "");
  EXPECT_EQ(refusal(std::vector<Json>(10, {{"type", "ByteLevel"}})), "");
  EXPECT_THAT(refusal(std::vector<Json>(11, {{"type", "ByteLevel"}})), HasSubstr("1024 times"));
  const Json by_regex = {
      {"type", "Replace"}, {"pattern", {{"Regex", "a+"}}}, {"content", std::string(1025, 'a')}};
  EXPECT_THAT(refusal(Json::array({by_regex})), HasSubstr("1024 times"));
  EXPECT_EQ(refusal(std::vector<Json>(11, doubled)),
            "normalizer could make a text more than 1024 times as long, which is not supported");
  const Json prepended = {{"type", "Prepend"}, {"prepend", std::string(2000, 'a')}};
  EXPECT_THAT(refusal(Json::array({prepended})), HasSubstr("1024 times"));
  const Json nested = {{"type", "Sequence"}, {"normalizers", std::vector<Json>(6, doubled)}};
  EXPECT_THAT(refusal(Json::array({nested, nested})), HasSubstr("1024 times"));
}

TEST(TokenizerJson, RefusesMoreStepsThanAnyTokenizerHas) {
  const auto sequence = [](const char* members, const Json& member, size_t count) {
    return Json{{"type", "Sequence"}, {members, std::vector<Json>(count, member)}}.dump();
  };
  const Json lowercase = {{"type", "Lowercase"}};
  const Json metaspace = {{"type", "Metaspace"}, {"replacement", "_"}};
  EXPECT_EQ(Refusal(With(Unigram(), "/normalizer", sequence("normalizers", lowercase, 32))), "");
  EXPECT_EQ(Refusal(With(Unigram(), "/normalizer", sequence("normalizers", lowercase, 33))),
            "normalizer.normalizers[32] is one more than the 32 that are supported");
  EXPECT_EQ(Refusal(With(Unigram(), "/pre_tokenizer", sequence("pretokenizers", metaspace, 32))),
            "");
  EXPECT_EQ(Refusal(With(Unigram(), "/pre_tokenizer", sequence("pretokenizers", metaspace, 33))),
            "pre_tokenizer.pretokenizers[32] is one more than the 32 that are supported");
}

// Cut anywhere, a document is refused and nothing else happens.
TEST(TokenizerJson, RefusesEveryTruncatedDocument) {
  const std::string json = Unigram().dump();
  for (size_t size = 0; size < json.size(); ++size) {
    EXPECT_THAT(Refusal(json.substr(0, size)), HasSubstr("not valid JSON: "));
  }
}

TEST(TokenizerJson, NamesTheFileThatCannotBeRead) {
  const auto missing = Tokenizer::FromFile("/no/such/tokenizer.json");
  ASSERT_FALSE(missing.ok());
  EXPECT_THAT(missing.error().message, HasSubstr("/no/such/tokenizer.json"));
  const std::string path = testing::TempDir() + "/broken-tokenizer.json";
  std::ofstream(path) << "{}";
  const auto broken = Tokenizer::FromFile(path);
  ASSERT_FALSE(broken.ok());
  EXPECT_THAT(broken.error().message, AllOf(HasSubstr(path), HasSubstr("model")));
  std::remove(path.c_str());
}

// Ids as the library gives them: those of the vocabulary first, others after it in order.
TEST(TokenizerJson, AddedTokensKeepTheVocabularysIdsOrComeAfterIt) {
  Json document = Unigram();
  Json token = document["added_tokens"][0];
  token["content"] = "a";
  token["id"] = 77;
  document["added_tokens"].push_back(token);
  token["content"] = "new";
  document["added_tokens"].push_back(token);
  const auto tokenizer = LoadTokenizer(document.dump());
  ASSERT_NE(tokenizer, nullptr);
  EXPECT_EQ(tokenizer->TokenToId("a"), 2);
  EXPECT_EQ(tokenizer->TokenToId("new"), 3);
  EXPECT_EQ(tokenizer->IdToToken(3), "new");
  EXPECT_EQ(tokenizer->vocab_size(), 4U);
}

// As in the library: where the vocabulary has gaps, a new token's id may be a piece's, and if that
// piece is an added token too, the last of the two is the one that is looked for.
TEST(TokenizerJson, OfAddedTokensWithOneIdTheLastStays) {
  Json document = WordPiece();
  document["post_processor"] = nullptr;
  document["pre_tokenizer"] = nullptr;
  document["model"]["vocab"] = {{"<unk>", 3}, {"x", 9}, {"y", 10}};
  Json token = document["added_tokens"][0];
  token["content"] = "z";
  document["added_tokens"] = {token, document["added_tokens"][0]};
  const auto last = LoadTokenizer(document.dump());
  ASSERT_NE(last, nullptr);
  EXPECT_EQ(last->Encode("zxz", {}).ids, (std::vector<int32_t>{3}));
  std::swap(document["added_tokens"][0], document["added_tokens"][1]);
  const auto first = LoadTokenizer(document.dump());
  ASSERT_NE(first, nullptr);
  EXPECT_EQ(first->Encode("zxz", {}).ids, (std::vector<int32_t>{3, 9, 3}));
  EXPECT_EQ(first->vocab_size(), 11U);
}

}  // namespace
}  // namespace embedding
