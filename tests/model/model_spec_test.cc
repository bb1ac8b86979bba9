#include "model/model_spec.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <filesystem>
#include <nlohmann/json.hpp>
#include <string>

#include "model/model_spec_fixture.h"
#include "test_data.h"

namespace embedding {
namespace {

using testing::AllOf;
using testing::ElementsAre;
using testing::HasSubstr;

TEST(ModelSpecFilesTest, ReadsTinyBgeM3) {
  const auto spec = ReadModelSpec(TestData("tiny-bge-m3"));
  ASSERT_TRUE(spec.ok()) << spec.error().message;
  EXPECT_EQ(spec->family->name(), "xlm-roberta");
  EXPECT_THAT(spec->architectures, ElementsAre("XLMRobertaModel"));
  const Encoder& encoder = spec->encoder();
  EXPECT_EQ(encoder.hidden_size, 128U);
  EXPECT_EQ(encoder.vocab_size, 8002U);
  EXPECT_EQ(encoder.token_types, 1U);
  EXPECT_EQ(encoder.positions.count, 8194U);
  EXPECT_EQ(encoder.positions.first, 2U);
  EXPECT_EQ(encoder.positions.uncounted_id, 1);
  EXPECT_EQ(encoder.embeddings_norm->eps, 1e-5F);
  ASSERT_EQ(encoder.layers.size(), 4U);
  for (const Layer& layer : encoder.layers) {
    EXPECT_EQ(layer.attention.heads, 2U);
    EXPECT_EQ(layer.attention.head_dim, 64U);
    EXPECT_EQ(layer.feed_forward.width, 512U);
    EXPECT_EQ(layer.feed_forward_norms.output->eps, 1e-5F);
  }
  const Heads& heads = spec->heads();
  EXPECT_THAT(heads.pooled->pooling, ElementsAre(Pooling::kCls));
  EXPECT_TRUE(heads.pooled->modules.empty());
  EXPECT_TRUE(heads.token_weights && heads.token_vectors);
  EXPECT_FALSE(heads.splade || heads.classifier);
  EXPECT_TRUE(spec->normalize);
  EXPECT_EQ(spec->max_seq_length, 8192U);
  EXPECT_EQ(spec->dimension(), 128U);
}

TEST(ModelSpecFilesTest, ReadsBgeM3) {
  const auto spec = ReadModelSpec(TestData("bge-m3-files"));
  ASSERT_TRUE(spec.ok()) << spec.error().message;
  EXPECT_EQ(spec->dimension(), 1024U);
  EXPECT_EQ(spec->encoder().layers.size(), 24U);
  EXPECT_EQ(spec->encoder().vocab_size, 250002U);
}

TEST(ModelSpecFilesTest, ReadsADirectoryWithoutModules) {
  const auto spec = ReadModelSpec(TestData("tiny-reranker"));
  ASSERT_TRUE(spec.ok()) << spec.error().message;
  EXPECT_THAT(spec->architectures, ElementsAre("XLMRobertaForSequenceClassification"));
  EXPECT_TRUE(spec->heads().classifier);
  EXPECT_FALSE(spec->heads().pooled);
  EXPECT_FALSE(spec->normalize);
  // The tokenizer says 8192, but of 514 positions two lie before a text's first token.
  EXPECT_EQ(spec->max_seq_length, 512U);
}

TEST(ModelSpecFilesTest, ReadsAllMiniLm) {
  const std::string directory = FetchedModel("all-MiniLM-L6-v2");
  if (!std::filesystem::exists(directory)) GTEST_SKIP() << directory << " is not there";
  const auto spec = ReadModelSpec(directory);
  ASSERT_TRUE(spec.ok()) << spec.error().message;
  EXPECT_EQ(spec->family->name(), "bert");
  EXPECT_EQ(spec->encoder().positions.first, 0U);
  EXPECT_EQ(spec->encoder().embeddings_norm->eps, 1e-12F);
  EXPECT_THAT(spec->heads().pooled->pooling, ElementsAre(Pooling::kMean));
  EXPECT_TRUE(spec->normalize);
  EXPECT_EQ(spec->max_seq_length, 256U);
  EXPECT_EQ(spec->dimension(), 384U);
}

TEST_F(ModelSpecTest, RefusesMissingAndMalformedFiles) {
  EXPECT_THAT(ReadModelSpec(dir_.File("absent")).error().message,
              HasSubstr("no such model directory"));
  const json config = Config();
  Config() = nullptr;
  EXPECT_THAT(ErrorMessage(), AllOf(HasSubstr("/config.json"), HasSubstr("cannot open")));
  dir_.Write("config.json", "{\"hidden_size\": 64,");
  EXPECT_THAT(ErrorMessage(), AllOf(HasSubstr("/config.json"), HasSubstr("not valid JSON")));
  Config() = json::array();
  EXPECT_THAT(ErrorMessage(), HasSubstr("must be a JSON object"));
  Config() = config;
  PoolingConfig() = nullptr;
  std::filesystem::remove_all(dir_.File("1_Pooling"));
  EXPECT_THAT(ErrorMessage(), AllOf(HasSubstr("/1_Pooling/config.json"), HasSubstr("cannot open")));
  std::filesystem::create_directories(dir_.File("1_Pooling/config.json"));
  EXPECT_THAT(ErrorMessage(), HasSubstr("not a regular file"));
}

TEST_F(ModelSpecTest, TakesTheLengthFromWhereSentenceTransformersTakesIt) {
  EXPECT_EQ(ReadGood().max_seq_length, 512U);  // positions: 514, two before the first token
  files_["tokenizer_config.json"]["model_max_length"] = 300;
  EXPECT_EQ(ReadGood().max_seq_length, 300U);
  files_["tokenizer_config.json"]["model_max_length"] = 1e30;
  EXPECT_EQ(ReadGood().max_seq_length, 512U);
  files_["tokenizer_config.json"]["model_max_length"] = nullptr;
  EXPECT_EQ(ReadGood().max_seq_length, 512U);
  files_["tokenizer_config.json"]["model_max_length"] = 8192;
  EXPECT_EQ(ReadGood().max_seq_length, 512U);
  files_["sentence_roberta_config.json"]["max_seq_length"] = 100;
  EXPECT_EQ(ReadGood().max_seq_length, 100U);
  files_["sentence_bert_config.json"]["max_seq_length"] = nullptr;
  EXPECT_EQ(ReadGood().max_seq_length, 512U);
  files_["sentence_bert_config.json"]["max_seq_length"] = 128;
  EXPECT_EQ(ReadGood().max_seq_length, 128U);

  EXPECT_THAT(ReadGood().warnings, ElementsAre());
  files_["sentence_bert_config.json"]["max_seq_length"] = 513;
  EXPECT_EQ(ReadGood().max_seq_length, 512U);
  EXPECT_THAT(ReadGood().warnings, ElementsAre(AllOf(HasSubstr("max_seq_length is 513"),
                                                     HasSubstr("only 512 positions"))));
  for (const json& value : {json(0), json(2), json(-1), json("128"), json(128.0)}) {
    EXPECT_THAT(ErrorWith("sentence_bert_config.json", "max_seq_length", value),
                HasSubstr("sentence_bert_config.json: max_seq_length must be an integer"));
  }
  for (const json& value : {json(0), json(-1), json("128"), json(128.5)}) {
    EXPECT_THAT(ErrorWith("tokenizer_config.json", "model_max_length", value),
                HasSubstr("tokenizer_config.json: model_max_length must be"));
  }
}

TEST_F(ModelSpecTest, LowerCasesWhereSentenceTransformersDoes) {
  EXPECT_FALSE(ReadGood().tokenizer.lowercase_first);
  files_["sentence_bert_config.json"]["do_lower_case"] = true;
  EXPECT_TRUE(ReadGood().tokenizer.lowercase_first);
}

TEST_F(ModelSpecTest, ReadsHowManyComponentsAreKept) {
  EXPECT_FALSE(ReadGood().truncate_dim.has_value());
  files_["config_sentence_transformers.json"]["truncate_dim"] = nullptr;
  EXPECT_FALSE(ReadGood().truncate_dim.has_value());
  files_["config_sentence_transformers.json"]["truncate_dim"] = 16;
  EXPECT_EQ(ReadGood().truncate_dim, 16U);
  EXPECT_EQ(ReadGood().dimension(), 64U);
  EXPECT_THAT(ErrorWith("config_sentence_transformers.json", "truncate_dim", 0),
              HasSubstr("truncate_dim must be an integer"));
}

TEST_F(ModelSpecTest, TakesNullForAbsent) {
  for (const char* field : {"type_vocab_size", "layer_norm_eps", "pad_token_id", "hidden_act",
                            "position_embedding_type", "architectures", "is_decoder"}) {
    Config()[field] = nullptr;
  }
  files_["config_sentence_transformers.json"] = {{"prompts", {{"query", nullptr}, {"doc", "d: "}}},
                                                 {"default_prompt_name", nullptr}};
  const ModelSpec spec = ReadGood();
  EXPECT_EQ(spec.encoder().positions.uncounted_id, 1);
  EXPECT_EQ(spec.encoder().token_types, 2U);
  EXPECT_EQ(spec.encoder().layers[0].feed_forward.activation, Activation::kGelu);
  EXPECT_THAT(spec.prompts, ElementsAre(testing::Pair("doc", "d: "), testing::Pair("query", "")));
  files_["config_sentence_transformers.json"]["prompts"] = nullptr;
  EXPECT_THAT(ReadGood().prompts, ElementsAre());
}

TEST_F(ModelSpecTest, PoolsWithoutModulesAsTheModelWasTrained) {
  files_.erase("modules.json");
  EXPECT_THAT(ReadGood().heads().pooled->pooling, ElementsAre(Pooling::kMean));
  EXPECT_THAT(ReadGood().warnings,
              ElementsAre(AllOf(HasSubstr("no modules.json"), HasSubstr("--pooling"))));
  // FlagEmbedding's heads are trained with the first token.
  dir_.Write("sparse_linear.pt", "");
  EXPECT_THAT(ReadGood().heads().pooled->pooling, ElementsAre(Pooling::kCls));
  EXPECT_THAT(ReadGood().warnings, ElementsAre());
}

TEST_F(ModelSpecTest, PoolsAsItIsTold) {
  const auto with = [&](const std::string& pooling) {
    ReadGood();
    return ReadModelSpec(dir_.path(), pooling);
  };
  EXPECT_THAT(with("lasttoken")->heads().pooled->pooling, ElementsAre(Pooling::kLastToken));
  EXPECT_THAT(with("nonsense").error().message, HasSubstr("\"nonsense\""));
  EXPECT_THAT(with("splade").error().message, HasSubstr("a *ForMaskedLM"));
  Config()["model_type"] = "bert";
  Config()["architectures"] = {"BertForMaskedLM"};
  EXPECT_TRUE(with("splade")->heads().splade.has_value());
  Config()["architectures"] = {"BertForSequenceClassification"};
  std::filesystem::remove(dir_.File("modules.json"));
  files_.erase("modules.json");
  EXPECT_TRUE(with("cls")->is_classifier());
  EXPECT_THAT(with("cls")->warnings, ElementsAre(HasSubstr("--pooling does not change")));
}

}  // namespace
}  // namespace embedding
