#include "model/special_tokens.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <nlohmann/json.hpp>

#include "model/model_spec_fixture.h"

namespace embedding {
namespace {

using nlohmann::json;
using testing::AllOf;
using testing::HasSubstr;

class SpecialTokensTest : public ModelSpecTest {
 protected:
  void ExpectRefused(const std::string& file, const std::string& field, const json& value,
                     const std::string& what) {
    EXPECT_THAT(ErrorWith(file, field, value),
                AllOf(HasSubstr("/" + file + ": "), HasSubstr(field), HasSubstr(what)));
  }
};

TEST_F(SpecialTokensTest, NamesTheFileAndTheFieldThatCannotBeRead) {
  const std::string config = "tokenizer_config.json";
  ExpectRefused(config, "added_tokens_decoder", {{"one", {{"content", "x"}}}}, "\"one\"");
  ExpectRefused(config, "added_tokens_decoder", {{"-1", {{"content", "x"}}}}, "\"-1\"");
  ExpectRefused(config, "added_tokens_decoder", {{"99999999999", {{"content", "x"}}}}, "99999");
  ExpectRefused(config, "added_tokens_decoder", json::array(), "an object");
  ExpectRefused(config, "added_tokens_decoder", {{"1", {{"lstrip", true}}}}, "content is missing");
  ExpectRefused(config, "extra_special_tokens", "x", "an array of tokens");
  ExpectRefused(config, "additional_special_tokens", {7}, "a token's text");
  ExpectRefused(config, "cls_token", {{"content", 7}}, "a string");
  ExpectRefused(config, "split_special_tokens", "yes", "true or false");
  ExpectRefused("special_tokens_map.json", "cls_token", {{"content", "x"}, {"rstrip", 1}},
                "true or false");
  files_["special_tokens_map.json"] = json::object();
  ExpectRefused("added_tokens.json", "<x>", "7", "an integer");
}

TEST_F(SpecialTokensTest, TakesNullForAbsent) {
  for (const char* field : {"added_tokens_decoder", "extra_special_tokens", "cls_token",
                            "additional_special_tokens", "split_special_tokens"}) {
    files_["tokenizer_config.json"][field] = nullptr;
  }
  EXPECT_TRUE(ReadGood().tokenizer.tokens.named.empty());
}

}  // namespace
}  // namespace embedding
