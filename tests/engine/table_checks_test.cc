// That nothing a tokenizer gives is looked up behind the end of a table: such a model is refused
// when it is loaded, or else refuses the requests that would do so.
#include "engine/table_checks.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <filesystem>
#include <fstream>
#include <functional>
#include <nlohmann/json.hpp>
#include <string>
#include <utility>
#include <vector>

#include "embedding/engine.h"
#include "temp_dir.h"
#include "test_data.h"

namespace embedding {
namespace {

namespace fs = std::filesystem;

using nlohmann::json;
using testing::AllOf;
using testing::HasSubstr;

const std::string kReranker = TestData("tiny-reranker");      // XLM-RoBERTa: 1 type
const std::string kClassifier = TestData("tiny-classifier");  // BERT: 2 types
const std::string kEncoder = TestData("tiny-bge-m3");         // XLM-RoBERTa: 1 type

using Change = std::function<void(json&)>;

class TableChecks : public testing::Test {
 protected:
  // Loads a copy of the model whose JSON file has been changed.
  Result<std::unique_ptr<Embedder>> Load(const std::string& model, const std::string& file,
                                         const Change& change) {
    fs::remove_all(directory_);
    fs::create_directories(directory_);
    for (const auto& entry : fs::directory_iterator(model)) {
      fs::create_symlink(entry.path(), directory_ / entry.path().filename());
    }
    json document = json::parse(std::ifstream(directory_ / file));
    change(document);
    fs::remove(directory_ / file);
    std::ofstream(directory_ / file) << document;
    // The class that takes tokenizer.json as it is.
    const fs::path config_path = directory_ / "tokenizer_config.json";
    json config =
        fs::exists(config_path) ? json::parse(std::ifstream(config_path)) : json::object();
    config["tokenizer_class"] = "TokenizersBackend";
    config["model_input_names"] = {"input_ids", "token_type_ids", "attention_mask"};
    fs::remove(config_path);
    std::ofstream(config_path) << config;
    return Embedder::Load(
        {.model_directory = directory_.string(), .compute_type = ComputeType::kF32});
  }

  std::string Refusal(const std::string& model, const std::string& file, const Change& change) {
    const auto embedder = Load(model, file, change);
    if (embedder.ok()) return "";
    EXPECT_EQ(embedder.error().code, ErrorCode::kModelLoad);
    return embedder.error().message;
  }

  const TempDir temp_dir_;
  const fs::path directory_ = temp_dir_.path();
};

// The value at a JSON pointer replaced.
Change Set(const std::string& pointer, const json& value) {
  return [=](json& document) { document[json::json_pointer(pointer)] = value; };
}

Change AddSpecialTokens(const std::string& format, size_t count) {
  return [=](json& document) {
    json& pieces = document["post_processor"][format];
    for (size_t i = 0; i < count; ++i) pieces.push_back(pieces[0]);
  };
}

const json kBertProcessing = {
    {"type", "BertProcessing"}, {"sep", {"</s>", 2}}, {"cls", {"<s>", 0}}};

EmbedRequest Pair(Outputs outputs) {
  EmbedRequest request;
  request.texts = {"a question"};
  request.text_pairs = {"an answer"};
  request.outputs = outputs;
  return request;
}

TEST_F(TableChecks, AClassifierWhosePairsHaveATypeBeyondTheTableIsRefused) {
  const std::string pair = "/post_processor/pair/";
  const std::vector<std::pair<Change, int>> cases = {
      {Set(pair + "4/Sequence/type_id", 1), 1},
      {Set(pair + "0/SpecialToken/type_id", 1), 1},
      {Set(pair + "5/SpecialToken/type_id", 7), 7},
      {Set(pair + "1/Sequence/type_id", 2147483647), 2147483647},
      {Set("/post_processor", kBertProcessing), 1},
      {Set("/post_processor", nullptr), 1},
  };
  for (const auto& [change, type] : cases) {
    EXPECT_THAT(Refusal(kReranker, "tokenizer.json", change),
                AllOf(HasSubstr("tokenizer.json: post_processor gives tokens of a pair the type " +
                                std::to_string(type) + ","),
                      HasSubstr("config.json's type_vocab_size is 1"),
                      HasSubstr("token_type_embeddings has types up to 0")));
  }
}

TEST_F(TableChecks, ATextWithATypeBeyondTheTableIsRefusedInEveryModel) {
  const Change change = Set("/post_processor/single/1/Sequence/type_id", 1);
  for (const std::string& model : {kReranker, kEncoder}) {
    EXPECT_THAT(Refusal(model, "tokenizer.json", change),
                AllOf(HasSubstr("tokens of a text the type 1,"), HasSubstr("type_vocab_size is 1")))
        << model;
  }
}

TEST_F(TableChecks, AnEncoderIsLoadedThoughItHasNoTypesForPairsAndRefusesOnlyThose) {
  const auto embedder = Load(kEncoder, "tokenizer.json", Set("/post_processor", kBertProcessing));
  ASSERT_TRUE(embedder.ok()) << embedder.error().message;
  EmbedRequest text;
  text.texts = {"a question"};
  EXPECT_TRUE((*embedder)->Embed(text).ok());
  for (const Outputs outputs : {Outputs{}, Outputs{.dense = false, .token_embeddings = true}}) {
    const auto pair = (*embedder)->Embed(Pair(outputs));
    ASSERT_FALSE(pair.ok());
    EXPECT_EQ(pair.error().code, ErrorCode::kUnsupported);
    EXPECT_THAT(pair.error().message,
                AllOf(HasSubstr("takes no pairs"), HasSubstr("type_vocab_size is 1")));
  }
}

TEST_F(TableChecks, PairsWhoseTypesTheTableHasAreComputed) {
  const auto nothing = [](json&) {};
  const auto bert = Load(kClassifier, "tokenizer.json", nothing);
  ASSERT_TRUE(bert.ok()) << bert.error().message;
  EXPECT_TRUE((*bert)->Embed(Pair({.dense = false, .logits = true})).ok());
  const auto encoder = Load(kEncoder, "tokenizer.json", nothing);
  ASSERT_TRUE(encoder.ok()) << encoder.error().message;
  EXPECT_TRUE((*encoder)->Embed(Pair({})).ok());
}

TEST_F(TableChecks, MoreSpecialTokensThanPositionsAreRefused) {
  EXPECT_THAT(Refusal(kReranker, "tokenizer.json", AddSpecialTokens("single", 600)),
              AllOf(HasSubstr("tokenizer.json: post_processor adds 602 special tokens to a text"),
                    HasSubstr("max_position_embeddings is 514")));
  EXPECT_THAT(Refusal(kReranker, "tokenizer.json", AddSpecialTokens("pair", 508)),
              HasSubstr("512 special tokens to a pair, but the model takes 512 tokens"));
  EXPECT_EQ(Refusal(kReranker, "tokenizer.json", AddSpecialTokens("pair", 507)), "");
  const auto encoder = Load(kEncoder, "tokenizer.json", AddSpecialTokens("pair", 9000));
  ASSERT_TRUE(encoder.ok()) << encoder.error().message;
  const auto pair = (*encoder)->Embed(Pair({}));
  ASSERT_FALSE(pair.ok());
  EXPECT_EQ(pair.error().code, ErrorCode::kUnsupported);
  EXPECT_THAT(pair.error().message, HasSubstr("9004 special tokens to a pair"));
}

TEST_F(TableChecks, IdsBeyondTheVocabularyThatEveryTextHasAreRefused) {
  const std::vector<std::pair<Change, std::string>> cases = {
      {Set("/post_processor/special_tokens/<~1s>/ids/0", 9000), "ids up to 9000"},
      {Set("/post_processor",
           {{"type", "BertProcessing"}, {"sep", {"</s>", 8002}}, {"cls", {"<s>", 0}}}),
       "ids up to 8002"},
  };
  for (const auto& [change, named] : cases) {
    EXPECT_THAT(
        Refusal(kReranker, "tokenizer.json", change),
        AllOf(HasSubstr("tokenizer.json: "), HasSubstr(named), HasSubstr("vocab_size is 8002")));
  }
}

TEST_F(TableChecks, OfAddedTokensBeyondTheVocabularyOnlyTextsThatContainOneAreRefused) {
  const json added = {{"id", 8002},      {"content", "<new>"}, {"single_word", false},
                      {"lstrip", false}, {"rstrip", false},    {"normalized", false},
                      {"special", false}};
  const auto embedder = Load(kEncoder, "tokenizer.json",
                             [&](json& document) { document["added_tokens"].push_back(added); });
  ASSERT_TRUE(embedder.ok()) << embedder.error().message;
  EXPECT_THAT((*embedder)->info().warnings,
              testing::ElementsAre(AllOf(HasSubstr("tokenizer.json: "), HasSubstr("id 8002"))));
  EmbedRequest request;
  request.texts = {"a text"};
  EXPECT_TRUE((*embedder)->Embed(request).ok());
  request.texts.push_back("a <new> text");
  const auto refused = (*embedder)->Embed(request);
  ASSERT_FALSE(refused.ok());
  EXPECT_EQ(refused.error().code, ErrorCode::kInvalidArgument);
  EXPECT_THAT(refused.error().message,
              AllOf(HasSubstr("texts[1] has the token <new>"), HasSubstr("8002")));
}

TEST_F(TableChecks, ATableOfAnotherSizeThanTheConfigSaysIsRefused) {
  EXPECT_THAT(
      Refusal(kReranker, "config.json", Set("/type_vocab_size", 2)),
      AllOf(HasSubstr("token_type_embeddings.weight"), HasSubstr("[2, 64]"), HasSubstr("[1, 64]")));
  EXPECT_THAT(Refusal(kReranker, "config.json", Set("/max_position_embeddings", 515)),
              AllOf(HasSubstr("position_embeddings.weight"), HasSubstr("[515, 64]"),
                    HasSubstr("[514, 64]")));
}

}  // namespace
}  // namespace embedding
