#include "model/transformer_module.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <nlohmann/json.hpp>

#include "model/model_spec_fixture.h"

namespace embedding {
namespace {

using testing::AllOf;
using testing::HasSubstr;

class TransformerModuleTest : public ModelSpecTest {
 protected:
  std::string ErrorOf(const std::string& field, const json& value) {
    return ErrorWith("sentence_bert_config.json", field, value);
  }
};

TEST_F(TransformerModuleTest, RefusesArgumentsThatWouldChangeTheAnswer) {
  EXPECT_THAT(ErrorOf("tokenizer_args", {{"do_lower_case", false}}),
              AllOf(HasSubstr("sentence_bert_config.json: tokenizer_args.do_lower_case"),
                    HasSubstr("tokenizer_config.json")));
  EXPECT_THAT(ErrorOf("processor_kwargs", {{"truncation_side", "left"}}),
              HasSubstr("processor_kwargs.truncation_side is not supported"));
  EXPECT_THAT(ErrorOf("config_args", {{"num_hidden_layers", 2}}),
              AllOf(HasSubstr("config_args.num_hidden_layers"), HasSubstr("into config.json")));
  EXPECT_THAT(ErrorOf("config_kwargs", {{"hidden_act", "gelu_new"}}), HasSubstr("hidden_act"));
  EXPECT_THAT(ErrorOf("processing_kwargs", {{"text", {{"truncation", false}}}}),
              HasSubstr("processing_kwargs.text.truncation is not supported"));
  EXPECT_THAT(ErrorOf("processing_kwargs", {{"text", {{"add_special_tokens", false}}}}),
              HasSubstr("add_special_tokens"));
  EXPECT_THAT(ErrorOf("tokenizer_args", {{"model_max_length", 0}}),
              HasSubstr("model_max_length must be an integer from 3"));
}

TEST_F(TransformerModuleTest, TakesArgumentsThatChangeNothing) {
  json& file = files_["sentence_bert_config.json"];
  file["tokenizer_args"] = {{"use_fast", true}, {"padding_side", "left"}, {"revision", nullptr}};
  file["config_args"] = {{"trust_remote_code", false}};
  file["processing_kwargs"] = {{"text", {{"padding", true}, {"truncation", "longest_first"}}},
                               {"images", {{"size", 3}}}};
  file["model_args"] = {{"torch_dtype", "float16"}};
  ReadGood();
}

TEST_F(TransformerModuleTest, ALaterLimitIsTheOneThatCounts) {
  json& file = files_["sentence_bert_config.json"];
  file = {{"max_seq_length", 40}};
  EXPECT_EQ(ReadGood().max_seq_length, 40U);
  file["tokenizer_kwargs"] = {{"model_max_length", 30}};
  EXPECT_EQ(ReadGood().max_seq_length, 30U);
  file["processing_kwargs"] = {{"text", {{"max_length", 20}}}};
  EXPECT_EQ(ReadGood().max_seq_length, 20U);
}

TEST_F(TransformerModuleTest, PassesOverAnEmptyFile) {
  files_["sentence_bert_config.json"] = json::object();
  files_["sentence_camembert_config.json"] = {{"max_seq_length", 40}};
  EXPECT_EQ(ReadGood().max_seq_length, 40U);
}

}  // namespace
}  // namespace embedding
