#include "weights/model_spec.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <filesystem>
#include <nlohmann/json.hpp>

#include "temp_dir.h"

namespace embedding {
namespace {

using nlohmann::json;
using testing::AllOf;
using testing::ElementsAre;
using testing::HasSubstr;

// A sentence-transformers model of two layers, whose files a test changes before it is read.
class ModelSpecTest : public testing::Test {
 protected:
  Result<ModelSpec> Read() {
    for (const auto& [name, content] : files_.items()) {
      if (!content.is_null()) dir_.Write(name, content.dump());
    }
    return ReadModelSpec(dir_.path());
  }

  ModelSpec ReadGood() {
    auto spec = Read();
    EXPECT_TRUE(spec.ok()) << spec.error().message;
    return spec.ok() ? *std::move(spec) : ModelSpec{};
  }

  std::string ErrorMessage() {
    const auto spec = Read();
    EXPECT_FALSE(spec.ok());
    if (spec.ok()) return {};
    EXPECT_EQ(spec.error().code, ErrorCode::kModelLoad);
    return spec.error().message;
  }

  // The error when `field` of `file` has `value`; the file is as it was afterwards.
  std::string ErrorWith(const std::string& file, const std::string& field, const json& value) {
    const json before = files_[file];
    files_[file][field] = value;
    std::string message = ErrorMessage();
    files_[file] = before;
    return message;
  }

  json& Config() { return files_["config.json"]; }
  json& Modules() { return files_["modules.json"]; }
  json& PoolingConfig() { return files_["1_Pooling/config.json"]; }

  void AddModule(const std::string& type, const std::string& path) {
    Modules().push_back({{"idx", Modules().size()},
                         {"name", std::to_string(Modules().size())},
                         {"path", path},
                         {"type", type}});
  }

  void AddDense(const std::string& path, int in_features, int out_features) {
    AddModule("sentence_transformers.models.Dense", path);
    files_[path + "/config.json"] = {{"in_features", in_features},
                                     {"out_features", out_features},
                                     {"bias", true},
                                     {"activation_function", "torch.nn.modules.activation.Tanh"}};
  }

  TempDir dir_;
  json files_ = json::parse(R"({
    "config.json": {
      "architectures": ["XLMRobertaModel"], "model_type": "xlm-roberta", "hidden_act": "gelu",
      "hidden_size": 64, "num_hidden_layers": 2, "num_attention_heads": 4,
      "intermediate_size": 256, "vocab_size": 1000, "max_position_embeddings": 514,
      "type_vocab_size": 1, "layer_norm_eps": 1e-05, "pad_token_id": 1,
      "position_embedding_type": "absolute"},
    "modules.json": [
      {"idx": 0, "name": "0", "path": "", "type": "sentence_transformers.models.Transformer"},
      {"idx": 1, "name": "1", "path": "1_Pooling", "type": "sentence_transformers.models.Pooling"}],
    "1_Pooling/config.json": {
      "word_embedding_dimension": 64, "pooling_mode_cls_token": false,
      "pooling_mode_mean_tokens": true, "pooling_mode_max_tokens": false,
      "pooling_mode_mean_sqrt_len_tokens": false}})");
};

TEST(ModelSpecFilesTest, ReadsTinyBgeM3) {
  const auto spec = ReadModelSpec(std::string(TEST_DATA_DIR) + "/tiny-bge-m3");
  ASSERT_TRUE(spec.ok()) << spec.error().message;
  const EncoderConfig& encoder = spec->encoder;
  EXPECT_EQ(encoder.family, ModelFamily::kXlmRoberta);
  EXPECT_THAT(encoder.architectures, ElementsAre("XLMRobertaModel"));
  EXPECT_EQ(encoder.hidden_size, 128U);
  EXPECT_EQ(encoder.num_hidden_layers, 4U);
  EXPECT_EQ(encoder.num_attention_heads, 2U);
  EXPECT_EQ(encoder.head_dim(), 64U);
  EXPECT_EQ(encoder.intermediate_size, 512U);
  EXPECT_EQ(encoder.vocab_size, 8002U);
  EXPECT_EQ(encoder.max_position_embeddings, 8194U);
  EXPECT_EQ(encoder.type_vocab_size, 1U);
  EXPECT_EQ(encoder.layer_norm_eps, 1e-5F);
  EXPECT_EQ(encoder.pad_token_id, 1);
  EXPECT_EQ(encoder.position_offset(), 2U);
  EXPECT_THAT(spec->pooling, ElementsAre(Pooling::kCls));
  EXPECT_TRUE(spec->dense.empty());
  EXPECT_TRUE(spec->normalize);
  EXPECT_EQ(spec->max_seq_length, 8192U);
  EXPECT_EQ(spec->dimension(), 128U);
}

TEST(ModelSpecFilesTest, ReadsBgeM3) {
  const auto spec = ReadModelSpec(std::string(TEST_DATA_DIR) + "/bge-m3-files");
  ASSERT_TRUE(spec.ok()) << spec.error().message;
  EXPECT_EQ(spec->dimension(), 1024U);
  EXPECT_EQ(spec->encoder.num_hidden_layers, 24U);
  EXPECT_EQ(spec->encoder.vocab_size, 250002U);
}

TEST(ModelSpecFilesTest, ReadsADirectoryWithoutModules) {
  const auto spec = ReadModelSpec(std::string(TEST_DATA_DIR) + "/tiny-reranker");
  ASSERT_TRUE(spec.ok()) << spec.error().message;
  EXPECT_THAT(spec->encoder.architectures, ElementsAre("XLMRobertaForSequenceClassification"));
  EXPECT_THAT(spec->pooling, ElementsAre(Pooling::kMean));
  EXPECT_FALSE(spec->normalize);
  // The tokenizer says 8192, but of 514 positions two lie before a text's first token.
  EXPECT_EQ(spec->max_seq_length, 512U);
}

TEST(ModelSpecFilesTest, ReadsAllMiniLm) {
  const std::string directory = std::string(MODELS_DIR) + "/all-MiniLM-L6-v2";
  if (!std::filesystem::exists(directory)) GTEST_SKIP() << directory << " is not there";
  const auto spec = ReadModelSpec(directory);
  ASSERT_TRUE(spec.ok()) << spec.error().message;
  EXPECT_EQ(spec->encoder.family, ModelFamily::kBert);
  EXPECT_EQ(spec->encoder.position_offset(), 0U);
  EXPECT_EQ(spec->encoder.layer_norm_eps, 1e-12F);
  EXPECT_THAT(spec->pooling, ElementsAre(Pooling::kMean));
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

TEST_F(ModelSpecTest, RefusesAbsurdSizes) {
  for (const char* field :
       {"hidden_size", "num_hidden_layers", "num_attention_heads", "intermediate_size",
        "vocab_size", "max_position_embeddings", "type_vocab_size"}) {
    for (const json& value : {json(0), json(-64), json(64.0), json("64"), json::array(), json(1e30),
                              json(uint64_t{1} << 63), json(int64_t{1} << 40), json(true)}) {
      EXPECT_THAT(ErrorWith("config.json", field, value),
                  AllOf(HasSubstr("/config.json: " + std::string(field) + " must be an integer"),
                        HasSubstr("but it is ")))
          << field << " " << value;
    }
  }
  for (const char* field : {"hidden_size", "num_hidden_layers", "num_attention_heads",
                            "intermediate_size", "vocab_size", "max_position_embeddings"}) {
    const json before = Config();
    Config().erase(field);
    EXPECT_THAT(ErrorMessage(), HasSubstr("/config.json: " + std::string(field) + " is missing"));
    Config() = before;
  }
  for (const json& value : {json(0), json(-1e-5), json(2), json("1e-5")}) {
    EXPECT_THAT(ErrorWith("config.json", "layer_norm_eps", value), HasSubstr("layer_norm_eps"));
  }
  for (const json& value : {json(-1), json(1000), json(1.0)}) {
    EXPECT_THAT(ErrorWith("config.json", "pad_token_id", value),
                HasSubstr("pad_token_id must be an integer from 0 to 999"));
  }
  EXPECT_THAT(ErrorWith("config.json", "num_attention_heads", 3),
              HasSubstr("hidden_size 64 is not a multiple of num_attention_heads 3"));
  EXPECT_THAT(ErrorWith("config.json", "max_position_embeddings", 4),
              HasSubstr("has no room for a text"));
}

TEST_F(ModelSpecTest, RefusesOtherComputations) {
  EXPECT_THAT(ErrorWith("config.json", "model_type", "camembert"),
              HasSubstr("model_type \"camembert\" is not supported; supported are bert, roberta"));
  EXPECT_THAT(ErrorWith("config.json", "model_type", nullptr), HasSubstr("model_type must be"));
  for (const char* activation : {"relu", "silu", "quick_gelu", "gelu_10"}) {
    EXPECT_THAT(ErrorWith("config.json", "hidden_act", activation),
                HasSubstr("hidden_act \"" + std::string(activation) + "\" is not supported"));
  }
  EXPECT_THAT(ErrorWith("config.json", "position_embedding_type", "relative_key"),
              HasSubstr("position_embedding_type \"relative_key\" is not supported"));
  EXPECT_THAT(ErrorWith("config.json", "is_decoder", true), HasSubstr("is_decoder is true"));
  EXPECT_THAT(ErrorWith("config.json", "add_cross_attention", true),
              HasSubstr("add_cross_attention is true"));
  EXPECT_THAT(ErrorWith("config.json", "architectures", 3), HasSubstr("architectures must be"));
}

TEST_F(ModelSpecTest, TakesTheLibrarysDefaults) {
  for (const char* field : {"type_vocab_size", "layer_norm_eps", "pad_token_id", "hidden_act",
                            "position_embedding_type", "architectures"}) {
    Config().erase(field);
  }
  const EncoderConfig encoder = ReadGood().encoder;
  EXPECT_EQ(encoder.type_vocab_size, 2U);
  EXPECT_EQ(encoder.layer_norm_eps, 1e-12F);
  EXPECT_EQ(encoder.pad_token_id, 1);
  Config()["model_type"] = "bert";
  EXPECT_EQ(ReadGood().encoder.pad_token_id, 0);
  Config()["model_type"] = "roberta";
  EXPECT_EQ(ReadGood().encoder.position_offset(), 2U);
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
  EXPECT_FALSE(ReadGood().lower_case);
  files_["sentence_bert_config.json"]["do_lower_case"] = true;
  EXPECT_TRUE(ReadGood().lower_case);
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
  EXPECT_EQ(spec.encoder.pad_token_id, 1);
  EXPECT_EQ(spec.encoder.type_vocab_size, 2U);
  EXPECT_EQ(spec.encoder.activation, Activation::kGelu);
  EXPECT_THAT(spec.prompts, ElementsAre(testing::Pair("doc", "d: ")));
  files_["config_sentence_transformers.json"]["prompts"] = nullptr;
  EXPECT_THAT(ReadGood().prompts, ElementsAre());
}

TEST_F(ModelSpecTest, ReadsTheFormsOfGelu) {
  for (const char* name : {"gelu", "gelu_python"}) {
    Config()["hidden_act"] = name;
    EXPECT_EQ(ReadGood().encoder.activation, Activation::kGelu) << name;
  }
  for (const char* name : {"gelu_new", "gelu_fast", "gelu_pytorch_tanh"}) {
    Config()["hidden_act"] = name;
    EXPECT_EQ(ReadGood().encoder.activation, Activation::kGeluTanh) << name;
  }
}

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
    EXPECT_THAT(ReadGood().pooling, ElementsAre(pooling)) << flag;
  }
  for (const auto& [flag, pooling] : modes) PoolingConfig()[flag] = true;
  EXPECT_THAT(ReadGood().pooling,
              ElementsAre(Pooling::kCls, Pooling::kMax, Pooling::kMean, Pooling::kMeanSqrtLenTokens,
                          Pooling::kWeightedMean, Pooling::kLastToken));
  EXPECT_EQ(ReadGood().dimension(), 6U * 64);
  PoolingConfig() = {{"word_embedding_dimension", 64}};
  EXPECT_THAT(ReadGood().pooling, ElementsAre(Pooling::kMean));
}

TEST_F(ModelSpecTest, ReadsPoolingModesByName) {
  PoolingConfig() = {{"embedding_dimension", 64}, {"pooling_mode", "weightedmean"}};
  EXPECT_THAT(ReadGood().pooling, ElementsAre(Pooling::kWeightedMean));
  // A list keeps its order; old flags beside it mean nothing.
  PoolingConfig() = {{"embedding_dimension", 64},
                     {"pooling_mode", {"mean", "cls"}},
                     {"pooling_mode_max_tokens", true}};
  EXPECT_THAT(ReadGood().pooling, ElementsAre(Pooling::kMean, Pooling::kCls));

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

TEST_F(ModelSpecTest, ReadsTheNewPathsOfModules) {
  Modules()[0]["type"] = "sentence_transformers.base.modules.transformer.Transformer";
  Modules()[1]["type"] = "sentence_transformers.sentence_transformer.modules.pooling.Pooling";
  AddModule("sentence_transformers.base.modules.normalize.Normalize", "2_Normalize");
  EXPECT_TRUE(ReadGood().normalize);
}

TEST_F(ModelSpecTest, ReadsDenseModules) {
  AddDense("2_Dense", 64, 32);
  AddDense("3_Dense", 32, 48);
  AddModule("sentence_transformers.models.Normalize", "4_Normalize");
  files_["3_Dense/config.json"]["bias"] = false;
  files_["3_Dense/config.json"]["activation_function"] = "torch.nn.modules.linear.Identity";
  const ModelSpec spec = ReadGood();
  ASSERT_EQ(spec.dense.size(), 2U);
  EXPECT_EQ(spec.dense[0].directory, dir_.File("2_Dense"));
  EXPECT_EQ(spec.dense[0].in_features, 64U);
  EXPECT_EQ(spec.dense[0].out_features, 32U);
  EXPECT_TRUE(spec.dense[0].bias);
  EXPECT_EQ(spec.dense[0].activation, Activation::kTanh);
  EXPECT_FALSE(spec.dense[1].bias);
  EXPECT_EQ(spec.dense[1].activation, Activation::kIdentity);
  EXPECT_EQ(spec.dimension(), 48U);
  EXPECT_TRUE(spec.normalize);

  for (const auto& [name, activation] : {std::pair("ReLU", Activation::kRelu),
                                         {"GELU", Activation::kGelu},
                                         {"Sigmoid", Activation::kSigmoid}}) {
    files_["2_Dense/config.json"]["activation_function"] =
        "torch.nn.modules.activation." + std::string(name);
    EXPECT_EQ(ReadGood().dense[0].activation, activation);
  }
  files_["2_Dense/config.json"].erase("activation_function");
  EXPECT_EQ(ReadGood().dense[0].activation, Activation::kTanh);
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

// The system would open "2_Dense", and a terminal would obey the escape sequence of an error.
TEST_F(ModelSpecTest, RefusesControlCharactersInPathsOfModules) {
  for (const std::string& path : {std::string("2_Dense\0x", 9), std::string("2_\x1b[2J")}) {
    const json good = Modules();
    AddModule("sentence_transformers.models.Dense", path);
    EXPECT_THAT(ErrorMessage(),
                AllOf(HasSubstr("module 2: path \"2_"), HasSubstr("has a control character")));
    EXPECT_EQ(ErrorMessage().find('\x1b'), std::string::npos);
    Modules() = good;
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
    ASSERT_TRUE(ReadGood().splade.has_value()) << kind;
    EXPECT_FALSE(ReadGood().splade->sums);
    EXPECT_FALSE(ReadGood().splade->log_twice);
    files_["1_SpladePooling/config.json"] = {{"pooling_strategy", "sum"},
                                             {"activation_function", "log1p_relu"}};
    EXPECT_TRUE(ReadGood().splade->sums);
    EXPECT_TRUE(ReadGood().splade->log_twice);
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
    EXPECT_FALSE(ReadGood().splade.has_value()) << architecture;
    EXPECT_EQ(ReadGood().pooling.size(), 1U);
  }
}

TEST_F(ModelSpecTest, PassesOverDropout) {
  AddModule("sentence_transformers.models.Dropout", "2_Dropout");
  AddDense("3_Dense", 64, 32);
  AddModule("sentence_transformers.models.Dropout", "4_Dropout");
  EXPECT_EQ(ReadGood().dimension(), 32U);
}

TEST_F(ModelSpecTest, ReadsATransformerInAFolderOfItsOwn) {
  Modules()[0]["path"] = "0_Transformer";
  EXPECT_THAT(ErrorMessage(), HasSubstr("/0_Transformer/config.json: cannot open"));
  for (const char* name : {"config.json", "sentence_bert_config.json", "tokenizer_config.json"}) {
    files_[std::string("0_Transformer/") + name] = files_[name];
  }
  files_["0_Transformer/sentence_bert_config.json"]["max_seq_length"] = 77;
  files_["0_Transformer/tokenizer_config.json"]["truncation_side"] = "left";
  const ModelSpec spec = ReadGood();
  EXPECT_EQ(spec.transformer_directory, dir_.File("0_Transformer"));
  EXPECT_EQ(spec.max_seq_length, 77U);
  EXPECT_EQ(spec.tokenizer.truncates_left, true);
}

TEST_F(ModelSpecTest, PoolsWithoutModulesAsTheModelWasTrained) {
  files_.erase("modules.json");
  EXPECT_THAT(ReadGood().pooling, ElementsAre(Pooling::kMean));
  EXPECT_THAT(ReadGood().warnings,
              ElementsAre(AllOf(HasSubstr("no modules.json"), HasSubstr("--pooling"))));
  // FlagEmbedding's heads are trained with the first token.
  dir_.Write("sparse_linear.pt", "");
  EXPECT_THAT(ReadGood().pooling, ElementsAre(Pooling::kCls));
  EXPECT_THAT(ReadGood().warnings, ElementsAre());
}

TEST_F(ModelSpecTest, PoolsAsItIsTold) {
  const auto with = [&](const std::string& pooling) {
    ReadGood();
    return ReadModelSpec(dir_.path(), pooling);
  };
  EXPECT_THAT(with("lasttoken")->pooling, ElementsAre(Pooling::kLastToken));
  EXPECT_THAT(with("nonsense").error().message, HasSubstr("\"nonsense\""));
  EXPECT_THAT(with("splade").error().message, HasSubstr("BertForMaskedLM"));
  Config()["model_type"] = "bert";
  Config()["architectures"] = {"BertForMaskedLM"};
  EXPECT_TRUE(with("splade")->splade.has_value());
  Config()["architectures"] = {"BertForSequenceClassification"};
  std::filesystem::remove(dir_.File("modules.json"));
  files_.erase("modules.json");
  EXPECT_TRUE(with("cls")->is_classifier());
  EXPECT_THAT(with("cls")->warnings, ElementsAre(HasSubstr("--pooling does not change")));
}

TEST_F(ModelSpecTest, RefusesOtherSequencesOfModules) {
  const json good = Modules();
  const auto error_with = [&](auto change) {
    Modules() = good;
    change();
    return ErrorMessage();
  };
  EXPECT_THAT(error_with([&] { Modules() = json::object(); }), HasSubstr("must be a JSON array"));
  EXPECT_THAT(error_with([&] { Modules() = json::array(); }), HasSubstr("has no modules"));
  EXPECT_THAT(error_with([&] { Modules().erase(1); }), HasSubstr("a Pooling is needed"));
  EXPECT_THAT(error_with([&] { std::swap(Modules()[0], Modules()[1]); }),
              HasSubstr("module 0: \"Pooling\" is not supported here"));
  EXPECT_THAT(error_with([&] {
                AddModule("sentence_transformers.models.Normalize", "2_Normalize");
                AddDense("3_Dense", 64, 32);
              }),
              HasSubstr("module 2: \"Normalize\" is not supported here"));
  EXPECT_THAT(error_with([&] { AddModule("sentence_transformers.models.LSTM", "2_LSTM"); }),
              HasSubstr("module 2: \"LSTM\" is not supported here"));
  EXPECT_THAT(error_with([&] { Modules()[1]["type"] = "custom_st.Pooling"; }),
              HasSubstr("module 1: type \"custom_st.Pooling\""));
  EXPECT_THAT(error_with([&] { Modules()[1].erase("type"); }), HasSubstr("type is missing"));
  EXPECT_THAT(error_with([&] { Modules()[1] = 3; }), HasSubstr("module 1: must be a JSON object"));
  for (const char* path : {"../1_Pooling", "/etc", "a/../../b", ".."}) {
    EXPECT_THAT(error_with([&] { Modules()[1]["path"] = path; }),
                HasSubstr("leads out of the model's directory"))
        << path;
  }
}

}  // namespace
}  // namespace embedding
