// Tokenizers of directories with and without a tokenizer.json, against what transformers' classes
// give for them: tests/data/make_tokenizer_classes.py has made the references from the same changes
// to the same files.

#include <gtest/gtest.h>

#include <algorithm>
#include <filesystem>
#include <fstream>
#include <nlohmann/json.hpp>
#include <string>
#include <vector>

#include "base/json_document.h"
#include "model/families.h"
#include "model/tokenizer_document.h"
#include "temp_dir.h"
#include "test_data.h"

namespace embedding {
namespace {

namespace fs = std::filesystem;
using nlohmann::json;

const json& References() {
  static const json references =
      json::parse(std::ifstream(TestData("expected/tokenizer_classes.json")));
  return references;
}

std::vector<std::string> Names() {
  std::vector<std::string> names;
  for (const json& each : References().at("cases")) names.push_back(each.at("name"));
  return names;
}

// Those without a tokenizer.json, where transformers saves one of the same vocabulary.
std::vector<std::string> NamesOfMade() {
  std::vector<std::string> names;
  for (const json& each : References().at("cases")) {
    const json& files = each.at("files");
    const bool is_made = files.contains("tokenizer.json") && files.at("tokenizer.json").is_null();
    if (is_made && each.at("every").get<bool>()) names.push_back(each.at("name"));
  }
  return names;
}

const json& CaseOf(const std::string& name) {
  const json& cases = References().at("cases");
  return *std::find_if(cases.begin(), cases.end(),
                       [&](const json& each) { return each.at("name") == name; });
}

// Sequences are their members, and one that stands for nothing is as good as null.
json Flat(const json& component) {
  json steps = json::array();
  if (component.is_null()) return steps;
  for (const char* list : {"normalizers", "pretokenizers", "decoders"}) {
    if (!component.contains(list)) continue;
    for (const json& member : component.at(list)) {
      for (json& step : Flat(member)) steps.push_back(std::move(step));
    }
    return steps;
  }
  steps.push_back(component);
  return steps;
}

class TokenizerClasses : public testing::TestWithParam<std::string> {
 protected:
  void SetUp() override {
    const json& reference = CaseOf(GetParam());
    const std::string base = reference.at("base");
    fs::copy(TestData("vocabularies/" + base), directory_, fs::copy_options::recursive);
    for (const auto& [before, after] : reference.at("renamed").items()) {
      fs::rename(directory_ / before, directory_ / after.get<std::string>());
    }
    for (const auto& [name, patch] : reference.at("files").items()) {
      const fs::path path = directory_ / name;
      json document =
          fs::exists(path) && patch.is_object() ? json::parse(std::ifstream(path)) : json::object();
      fs::remove(path);
      if (patch.is_null()) continue;
      if (patch.is_object()) {
        for (const auto& [field, value] : patch.items()) {
          const bool is_component = value.is_object() && value.contains("type");
          if (is_component && field != "model") document.erase(field);  // it takes its place
        }
        document.merge_patch(patch);
      }
      std::ofstream(path) << (patch.is_string() ? patch.get<std::string>() : document.dump());
    }
    const std::string model_type = reference.at("files").at("config.json").at("model_type");
    const auto read = ReadTokenizerConfig(directory_.string(), model_type, "", ClassOf(model_type));
    ASSERT_TRUE(read.ok()) << read.error().message;
    config_ = *read;
  }

  // The family's; of those that are none here, what transformers has.
  static std::string ClassOf(const std::string& model_type) {
    for (const Family* family : Families()) {
      if (family->model_types == model_type) return std::string(family->tokenizer_class);
    }
    return model_type == "gpt2" ? "GPT2Tokenizer" : "GemmaTokenizer";
  }

  const TempDir temp_dir_;
  const fs::path directory_ = temp_dir_.path();
  TokenizerConfig config_;
};

TEST_P(TokenizerClasses, GiveTransformersIds) {
  const json& reference = CaseOf(GetParam());
  const auto tokenizer = LoadTokenizer(config_);
  ASSERT_TRUE(tokenizer.ok()) << tokenizer.error().message;
  const json& texts = References().at("texts");
  const json& ids = reference.at("ids");
  for (size_t i = 0; i < ids.size(); ++i) {
    const Encoding encoding = (*tokenizer)->Encode(texts[i].get<std::string>(), {});
    EXPECT_EQ(encoding.ids, ids[i].get<std::vector<int32_t>>()) << texts[i];
  }
  const json& types = reference.at("types");
  EXPECT_EQ(config_.has_token_types, !types.is_null());
  for (size_t i = 0; i < References().at("pairs").size(); ++i) {
    const json& pair = References().at("pairs")[i];
    const Encoding encoding =
        (*tokenizer)->EncodePair(pair[0].get<std::string>(), pair[1].get<std::string>(), {});
    EXPECT_EQ(encoding.ids, reference.at("pairs")[i].get<std::vector<int32_t>>()) << pair;
    if (types.is_null()) continue;
    EXPECT_EQ(encoding.type_ids, types[i].get<std::vector<int32_t>>()) << pair;
  }
}

// What the class makes is what transformers saves of it, component by component.
TEST_P(TokenizerClasses, MakeTransformersParts) {
  const auto read = ReadTokenizerDocument(config_);
  ASSERT_TRUE(read.ok()) << read.error().message;
  json document = json::parse(simdjson::minify(read->document.element()));
  if (const auto& parts = read->overrides.parts) {
    document.update(json::parse(simdjson::minify(parts->element())));
  }
  const json& expected = CaseOf(GetParam()).at("parts");
  for (const char* part : {"normalizer", "pre_tokenizer", "decoder"}) {
    EXPECT_EQ(Flat(document.value(part, json())), Flat(expected.at(part))) << part;
  }
  for (const auto& [name, value] : expected.at("model").items()) {
    if (name == "type" && !document.at("model").contains("type")) continue;  // the document's own
    EXPECT_EQ(document.at("model").value(name, json()), value) << name;
  }
}

class MadeVocabularies : public TokenizerClasses {};

// The pieces with their ids or scores, and the merges in their order.
TEST_P(MadeVocabularies, AreTransformers) {
  const json& reference = CaseOf(GetParam());
  const auto read = ReadTokenizerDocument(config_);
  ASSERT_TRUE(read.ok()) << read.error().message;
  const json model = json::parse(simdjson::minify(read->document.element())).at("model");
  const std::string saved =
      TestData("vocabularies/" + reference.at("base").get<std::string>() + "/tokenizer.json");
  const json expected = json::parse(std::ifstream(saved)).at("model");
  EXPECT_EQ(model.at("type"), expected.at("type"));
  EXPECT_EQ(model.at("vocab"), expected.at("vocab"));
  EXPECT_EQ(model.value("merges", json()), expected.value("merges", json()));
}

// PhoBERT's is made of a vocab.txt that has another form than BERT's.
TEST(TokenizerOfAnUnknownClass, IsNamedWhereThereIsNoTokenizerJson) {
  const TempDir dir;
  dir.Write("tokenizer_config.json", R"({"tokenizer_class": "PhobertTokenizer"})");
  dir.Write("vocab.txt", "a 1");
  const auto config = ReadTokenizerConfig(dir.path(), "roberta", "", "RobertaTokenizer");
  ASSERT_TRUE(config.ok()) << config.error().message;
  const auto tokenizer = LoadTokenizer(*config);
  ASSERT_FALSE(tokenizer.ok());
  EXPECT_NE(tokenizer.error().message.find("class \"PhobertTokenizer\""), std::string::npos)
      << tokenizer.error().message;
}

INSTANTIATE_TEST_SUITE_P(Of, MadeVocabularies, testing::ValuesIn(NamesOfMade()),
                         [](const auto& name) { return name.param; });
INSTANTIATE_TEST_SUITE_P(Of, TokenizerClasses, testing::ValuesIn(Names()),
                         [](const auto& name) { return name.param; });

}  // namespace
}  // namespace embedding
