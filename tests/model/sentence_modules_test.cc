#include "model/sentence_modules.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <nlohmann/json.hpp>
#include <string>
#include <utility>

#include "model/model_spec_fixture.h"

namespace embedding {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;

TEST_F(ModelSpecTest, ReadsEveryPoolingMode) {
  const std::pair<const char*, Pooling> modes[] = {
      {"pooling_mode_cls_token", Pooling::kCls},
      {"pooling_mode_max_tokens", Pooling::kMax},
      {"pooling_mode_mean_tokens", Pooling::kMean},
      {"pooling_mode_mean_sqrt_len_tokens", Pooling::kMeanSqrtLenTokens},
      {"pooling_mode_weightedmean_tokens", Pooling::kWeightedMean},
      {"pooling_mode_lasttoken", Pooling::kLastToken}};
  for (const auto& [flag, pooling] : modes) {
    PoolingConfig() = {{"word_embedding_dimension", 64}, {flag, true}};
    EXPECT_THAT(ReadGood().heads().pooled->pooling, ElementsAre(pooling)) << flag;
  }
  for (const auto& [flag, pooling] : modes) PoolingConfig()[flag] = true;
  EXPECT_THAT(ReadGood().heads().pooled->pooling,
              ElementsAre(Pooling::kCls, Pooling::kMax, Pooling::kMean, Pooling::kMeanSqrtLenTokens,
                          Pooling::kWeightedMean, Pooling::kLastToken));
  EXPECT_EQ(ReadGood().dimension(), 6U * 64);
  PoolingConfig() = {{"word_embedding_dimension", 64}};
  EXPECT_THAT(ReadGood().heads().pooled->pooling, ElementsAre(Pooling::kMean));
}

TEST_F(ModelSpecTest, ReadsPoolingModesByName) {
  PoolingConfig() = {{"embedding_dimension", 64}, {"pooling_mode", "weightedmean"}};
  EXPECT_THAT(ReadGood().heads().pooled->pooling, ElementsAre(Pooling::kWeightedMean));
  // A list keeps its order; old flags beside it mean nothing.
  PoolingConfig() = {{"embedding_dimension", 64},
                     {"pooling_mode", {"mean", "cls"}},
                     {"pooling_mode_max_tokens", true}};
  EXPECT_THAT(ReadGood().heads().pooled->pooling, ElementsAre(Pooling::kMean, Pooling::kCls));

  PoolingConfig() = {{"embedding_dimension", 64}};
  EXPECT_THAT(ErrorWith("1_Pooling/config.json", "pooling_mode", "median"),
              HasSubstr("pooling_mode \"median\" is not supported"));
  EXPECT_THAT(ErrorWith("1_Pooling/config.json", "pooling_mode", {"cls", "cls"}),
              HasSubstr("\"cls\" is there twice"));
  EXPECT_THAT(ErrorWith("1_Pooling/config.json", "pooling_mode", json::array()),
              HasSubstr("pooling_mode must be"));
  EXPECT_THAT(ErrorWith("1_Pooling/config.json", "pooling_mode", 1),
              HasSubstr("pooling_mode must be"));
  EXPECT_THAT(ErrorWith("1_Pooling/config.json", "pooling_mode_cls_token", 1),
              HasSubstr("pooling_mode_cls_token must be true or false"));
  EXPECT_THAT(ErrorWith("1_Pooling/config.json", "embedding_dimension", 65),
              HasSubstr("embedding_dimension is 65, but config.json's hidden_size is 64"));
}

// As sentence-transformers saves CrossEncoder and SparseEncoder since version 5.
TEST_F(ModelSpecTest, ReadsCrossEncodersAndSparseEncoders) {
  const json good = Modules();
  Config()["architectures"] = {"XLMRobertaForSequenceClassification"};
  Config()["id2label"] = {{"0", "LABEL_0"}};
  Modules().erase(1);
  EXPECT_TRUE(ReadGood().is_classifier());
  EXPECT_THAT(ReadGood().warnings, ElementsAre());

  Config()["model_type"] = "bert";
  Config()["architectures"] = {"BertForMaskedLM"};
  for (const char* kind : {"sentence_transformers.base.modules.transformer.Transformer",
                           "sentence_transformers.sparse_encoder.models.MLMTransformer"}) {
    Modules() = good;
    Modules()[0]["type"] = kind;
    Modules()[1] = {
        {"path", "1_SpladePooling"},
        {"type", "sentence_transformers.sparse_encoder.modules.splade_pooling.SpladePooling"}};
    files_["1_SpladePooling/config.json"] = {{"pooling_strategy", "max"},
                                             {"activation_function", "relu"},
                                             {"embedding_dimension", nullptr}};
    ASSERT_TRUE(ReadGood().heads().splade.has_value()) << kind;
    EXPECT_FALSE(ReadGood().heads().splade->sums);
    EXPECT_FALSE(ReadGood().heads().splade->log_twice);
    files_["1_SpladePooling/config.json"] = {{"pooling_strategy", "sum"},
                                             {"activation_function", "log1p_relu"}};
    EXPECT_TRUE(ReadGood().heads().splade->sums);
    EXPECT_TRUE(ReadGood().heads().splade->log_twice);
    EXPECT_THAT(ErrorWith("1_SpladePooling/config.json", "pooling_strategy", "mean"),
                HasSubstr("pooling_strategy \"mean\" is not supported"));
  }
  Config()["architectures"] = {"BertModel"};
  EXPECT_THAT(ErrorMessage(), HasSubstr("SPLADE needs"));
}

TEST_F(ModelSpecTest, ModulesSayWhatAModelIsForWhateverHeadItHas) {
  Config()["model_type"] = "bert";
  for (const char* architecture : {"BertForSequenceClassification", "BertForMaskedLM"}) {
    Config()["architectures"] = {architecture};
    EXPECT_FALSE(ReadGood().is_classifier()) << architecture;
    EXPECT_FALSE(ReadGood().heads().splade.has_value()) << architecture;
    EXPECT_EQ(ReadGood().heads().pooled->pooling.size(), 1U);
  }
}

TEST_F(ModelSpecTest, NamesAModuleThatIsNoTransformerBeforeItsFiles) {
  for (const char* kind : {"WordEmbeddings", "CLIPModel", "BoW"}) {
    Modules()[0]["type"] = std::string("sentence_transformers.models.") + kind;
    Modules()[0]["path"] = "0_" + std::string(kind);
    EXPECT_THAT(ErrorMessage(),
                testing::AllOf(HasSubstr("modules.json: module 0"), HasSubstr(kind)));
  }
}

TEST_F(ModelSpecTest, NamesModulesThatCannotFollow) {
  const json good = Modules();
  for (const char* kind : {"LSTM", "CNN", "WeightedLayerPooling", "WordWeights"}) {
    Modules() = good;
    AddModule("sentence_transformers.models." + std::string(kind), "2_X");
    EXPECT_THAT(ErrorMessage(), testing::AllOf(HasSubstr("modules.json: module 2"),
                                               HasSubstr("\"" + std::string(kind) + "\"")));
    std::swap(Modules()[1], Modules()[2]);
    EXPECT_THAT(ErrorMessage(), testing::AllOf(HasSubstr("modules.json: module 1"),
                                               HasSubstr("\"" + std::string(kind) + "\"")));
  }
}

TEST_F(ModelSpecTest, ScoresComeOutOfACrossEncodersLastDense) {
  AddDense("2_Dense", 64, 64);
  AddDense("3_Dense", 64, 3);
  files_["3_Dense/config.json"]["module_output_name"] = "scores";
  EXPECT_THAT(ErrorMessage(), HasSubstr("model_type is not CrossEncoder"));
  files_["config_sentence_transformers.json"]["model_type"] = "CrossEncoder";
  const ModelSpec spec = ReadGood();
  EXPECT_THAT(spec.labels, ElementsAre("LABEL_0", "LABEL_1", "LABEL_2"));
  ASSERT_TRUE(spec.heads().scores.has_value());
  EXPECT_EQ(spec.heads().scores->modules.size(), 2U);
  EXPECT_FALSE(spec.heads().pooled.has_value());
  EXPECT_FALSE(spec.heads().classifier.has_value());

  AddModule("sentence_transformers.models.Normalize", "4_Normalize");
  EXPECT_THAT(ErrorMessage(), HasSubstr("module 4: Normalize follows a module that gives scores"));
}

// As sentence-transformers 6.2 has Qwen3-Reranker.
TEST_F(ModelSpecTest, ALanguageModelsLogitsAreACrossEncodersScore) {
  Config() = {{"model_type", "qwen3"},
              {"architectures", {"Qwen3ForCausalLM"}},
              {"hidden_size", 64},
              {"num_hidden_layers", 2},
              {"num_attention_heads", 4},
              {"num_key_value_heads", 2},
              {"intermediate_size", 96},
              {"vocab_size", 1000},
              {"max_position_embeddings", 128}};
  files_["config_sentence_transformers.json"]["model_type"] = "CrossEncoder";
  Modules()[1] = {{"path", "1_LogitScore"},
                  {"type", "sentence_transformers.cross_encoder.modules.logit_score.LogitScore"}};
  const std::string file = "1_LogitScore/config.json";
  files_[file] = {{"true_token_id", 7}, {"false_token_id", 9}};
  const ModelSpec spec = ReadGood();
  EXPECT_THAT(spec.labels, ElementsAre("LABEL_0"));
  ASSERT_TRUE(spec.logit_score.has_value());
  EXPECT_EQ(spec.logit_score->true_token, 7U);
  EXPECT_EQ(spec.logit_score->false_token, 9U);
  files_[file]["false_token_id"] = nullptr;
  EXPECT_FALSE(ReadGood().logit_score->false_token);

  EXPECT_THAT(ErrorWith(file, "true_token_id", 1000), HasSubstr("true_token_id must be"));
  EXPECT_THAT(ErrorWith(file, "false_token_id", -1), HasSubstr("false_token_id must be"));
  EXPECT_THAT(ErrorWith(file, "module_input_name", "logits"), HasSubstr("module_input_name"));
  files_[file].erase("true_token_id");
  EXPECT_THAT(ErrorMessage(), HasSubstr("true_token_id"));
  files_[file]["true_token_id"] = 7;
  AddModule("sentence_transformers.models.Normalize", "2_Normalize");
  EXPECT_THAT(ErrorMessage(), HasSubstr("module 2: \"Normalize\" is not supported here"));
  Modules().erase(2);
  Config()["model_type"] = "eurobert";
  EXPECT_THAT(ErrorMessage(), HasSubstr("LogitScore is not supported of model_type eurobert"));
}

TEST_F(ModelSpecTest, RefusesACrossEncoderWithoutScores) {
  files_["config_sentence_transformers.json"]["model_type"] = "CrossEncoder";
  EXPECT_THAT(ErrorMessage(), HasSubstr("model_type is CrossEncoder"));
  AddDense("2_Dense", 64, 32);
  EXPECT_THAT(ErrorMessage(), HasSubstr("model_type is CrossEncoder"));
  files_["config_sentence_transformers.json"]["model_type"] = "SentenceTransformer";
  ReadGood();
}

TEST_F(ModelSpecTest, APoolingMayLeaveOutThePrompt) {
  EXPECT_TRUE(ReadGood().heads().pooled->pools_prompt);
  PoolingConfig()["include_prompt"] = false;
  EXPECT_FALSE(ReadGood().heads().pooled->pools_prompt);
}

}  // namespace
}  // namespace embedding
