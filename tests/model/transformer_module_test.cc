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

TEST_F(TransformerModuleTest, AQuerysAndADocumentsLimitAreTheirPrompts) {
  files_["sentence_bert_config.json"] = {{"max_seq_length", 40}, {"query_length", 8}};
  const ModelSpec spec = ReadGood();
  EXPECT_EQ(spec.max_seq_length, 40U);
  EXPECT_THAT(spec.limit_of_prompt, testing::ElementsAre(testing::Pair("query", 8)));
  EXPECT_THAT(ErrorOf("document_length", 0), HasSubstr("document_length must be an integer"));
}

// modality_config says what is made of a text.
TEST_F(TransformerModuleTest, RefusesWhatIsMadeOfTextsInOtherWays) {
  json& file = files_["sentence_bert_config.json"];
  const json good = {{"method", "forward"}, {"method_output_name", "last_hidden_state"}};
  file = {{"transformer_task", "feature-extraction"}, {"modality_config", {{"text", good}}}};
  ReadGood();
  const auto error_of = [&](const std::string& field, const json& value) {
    json changed = {{"text", good}};
    changed["text"][field] = value;
    return ErrorOf("modality_config", changed);
  };
  EXPECT_THAT(error_of("method", "get_text_features"),
              AllOf(HasSubstr("method"), HasSubstr("must be \"forward\"")));
  EXPECT_THAT(error_of("method_output_name", "pooler_output"),
              HasSubstr("method_output_name \"pooler_output\" is not supported"));
  EXPECT_THAT(error_of("method_output_name", {"text_model_output", "pooler_output"}),
              HasSubstr("is not supported"));
  EXPECT_THAT(ErrorOf("modality_config", {{"image", good}}),
              HasSubstr("has neither \"text\" nor \"message\""));
  EXPECT_THAT(ErrorOf("module_output_name", "sentence_embedding"),
              HasSubstr("module_output_name \"sentence_embedding\" is not supported"));
  EXPECT_THAT(ErrorOf("transformer_task", "any-to-any"), HasSubstr("transformer_task"));
  EXPECT_THAT(ErrorOf("query_expansion", {{"length", 32}}), HasSubstr("query_expansion"));
}

TEST_F(TransformerModuleTest, TextsAreMessagesWhereItSaysSo) {
  json& file = files_["sentence_bert_config.json"];
  file["modality_config"] = {{"message", {{"method", "forward"}, {"format", "flat"}}}};
  EXPECT_THAT(ErrorMessage(), HasSubstr("there is neither chat_template.jinja nor"));
  dir_.Write("chat_template.jinja",
             "{{ bos_token }}{{ messages[0].content }}|{{ 'fast' if is_fast else 'slow' }}");
  files_["tokenizer_config.json"] = {{"bos_token", "<s>"}};
  const auto rendered = [&] {
    const ModelSpec spec = ReadGood();
    return spec.messages ? Fill(spec.messages->of_texts.at(""), "text", "") : "";
  };
  EXPECT_EQ(rendered(), "<s>text|slow");
  file["processing_kwargs"]["chat_template"] = {{"is_fast", true}};
  EXPECT_EQ(rendered(), "<s>text|fast");
  EXPECT_THAT(ErrorOf("processing_kwargs", {{"chat_template", {{"tools", json::array()}}}}),
              HasSubstr("chat_template.tools is not supported"));
  file["modality_config"] = {{"text", {{"method", "forward"}}}};
  EXPECT_FALSE(ReadGood().messages);
}

TEST_F(TransformerModuleTest, PassesOverAnEmptyFile) {
  files_["sentence_bert_config.json"] = json::object();
  files_["sentence_camembert_config.json"] = {{"max_seq_length", 40}};
  EXPECT_EQ(ReadGood().max_seq_length, 40U);
}

}  // namespace
}  // namespace embedding
