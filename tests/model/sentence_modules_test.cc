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

TEST_F(ModelSpecTest, ReadsDenseModules) {
  AddDense("2_Dense", 64, 32);
  AddDense("3_Dense", 32, 48);
  AddModule("sentence_transformers.models.Normalize", "4_Normalize");
  files_["3_Dense/config.json"]["bias"] = false;
  files_["3_Dense/config.json"]["activation_function"] = "torch.nn.modules.linear.Identity";
  const ModelSpec spec = ReadGood();
  const std::vector<DenseModule>& dense = spec.heads().pooled->dense;
  ASSERT_EQ(dense.size(), 2U);
  EXPECT_EQ(dense[0].directory, dir_.File("2_Dense"));
  EXPECT_EQ(dense[0].in_features, 64U);
  EXPECT_EQ(dense[0].out_features, 32U);
  EXPECT_TRUE(dense[0].bias);
  EXPECT_EQ(dense[0].activation, Activation::kTanh);
  EXPECT_FALSE(dense[1].bias);
  EXPECT_EQ(dense[1].activation, Activation::kIdentity);
  EXPECT_EQ(spec.dimension(), 48U);
  EXPECT_TRUE(spec.normalize);

  for (const auto& [name, activation] : {std::pair("ReLU", Activation::kRelu),
                                         {"GELU", Activation::kGelu},
                                         {"Sigmoid", Activation::kSigmoid}}) {
    files_["2_Dense/config.json"]["activation_function"] =
        "torch.nn.modules.activation." + std::string(name);
    EXPECT_EQ(ReadGood().heads().pooled->dense[0].activation, activation);
  }
  files_["2_Dense/config.json"].erase("activation_function");
  EXPECT_EQ(ReadGood().heads().pooled->dense[0].activation, Activation::kTanh);
}

TEST_F(ModelSpecTest, RefusesDenseModulesThatDoNotFit) {
  AddDense("2_Dense", 64, 32);
  AddDense("3_Dense", 32, 48);
  EXPECT_THAT(ErrorWith("3_Dense/config.json", "in_features", 64),
              HasSubstr("/3_Dense/config.json: in_features is 64, but the module before gives 32"));
  EXPECT_THAT(ErrorWith("2_Dense/config.json", "out_features", -32),
              HasSubstr("out_features must"));
  EXPECT_THAT(ErrorWith("2_Dense/config.json", "bias", "yes"), HasSubstr("bias must be true"));
  EXPECT_THAT(ErrorWith("2_Dense/config.json", "use_residual", true), HasSubstr("use_residual"));
  EXPECT_THAT(ErrorWith("2_Dense/config.json", "module_input_name", "token_embeddings"),
              HasSubstr("\"token_embeddings\" is not supported"));
  for (const char* path :
       {"torch.nn.modules.activation.SiLU", "os.system", "my.code.Tanh", "Tanh"}) {
    EXPECT_THAT(ErrorWith("2_Dense/config.json", "activation_function", path),
                HasSubstr("activation_function \"" + std::string(path) + "\" is not supported"));
  }
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
  for (const char* kind : {"Router", "StaticEmbedding", "WordEmbeddings", "CLIPModel"}) {
    Modules()[0]["type"] = std::string("sentence_transformers.models.") + kind;
    Modules()[0]["path"] = "0_" + std::string(kind);
    EXPECT_THAT(ErrorMessage(),
                testing::AllOf(HasSubstr("modules.json: module 0"), HasSubstr(kind)));
  }
}

TEST_F(ModelSpecTest, RefusesScoresThatComeOutOfModules) {
  files_["config_sentence_transformers.json"]["model_type"] = "CrossEncoder";
  EXPECT_THAT(ErrorMessage(), HasSubstr("model_type is CrossEncoder"));
  files_["config_sentence_transformers.json"]["model_type"] = "SentenceTransformer";
  ReadGood();
  AddDense("2_Dense", 64, 32);
  ReadGood();
  EXPECT_THAT(ErrorWith("2_Dense/config.json", "module_output_name", "scores"),
              HasSubstr("module_output_name \"scores\" is not supported"));
}

}  // namespace
}  // namespace embedding
