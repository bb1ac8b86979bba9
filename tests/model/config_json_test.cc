#include "model/config_json.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <nlohmann/json.hpp>
#include <string>

#include "model/model_spec_fixture.h"

namespace embedding {
namespace {

using testing::AllOf;
using testing::HasSubstr;

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
  for (const json& value : {json(0), json(1e-60), json(-1e-5), json(2), json("1e-5")}) {
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
  EXPECT_THAT(ErrorWith("config.json", "model_type", "gpt2"),
              AllOf(HasSubstr("model_type \"gpt2\" is not supported; supported are "),
                    HasSubstr("bert, "), HasSubstr(", xlm-roberta")));
  EXPECT_THAT(ErrorWith("config.json", "model_type", nullptr), HasSubstr("model_type must be"));
  for (const char* activation : {"mish", "quick_gelu", "gelu_10"}) {
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
  const Encoder encoder = ReadGood().encoder();
  EXPECT_EQ(encoder.token_types, 2U);
  EXPECT_EQ(encoder.embeddings_norm->eps, 1e-12F);
  EXPECT_EQ(encoder.positions.uncounted_id, 1);
  Config()["model_type"] = "roberta";
  EXPECT_EQ(ReadGood().encoder().positions.first, 2U);
  Config()["model_type"] = "bert";
  EXPECT_EQ(ReadGood().encoder().positions.first, 0U);
  EXPECT_EQ(ReadGood().encoder().positions.uncounted_id, std::nullopt);
}

TEST_F(ModelSpecTest, ReadsTheFormsOfGelu) {
  for (const char* name : {"gelu", "gelu_python"}) {
    Config()["hidden_act"] = name;
    EXPECT_EQ(ReadGood().encoder().layers[0].feed_forward.activation, Activation::kGelu) << name;
  }
  for (const char* name : {"gelu_new", "gelu_fast", "gelu_pytorch_tanh"}) {
    Config()["hidden_act"] = name;
    EXPECT_EQ(ReadGood().encoder().layers[0].feed_forward.activation, Activation::kGeluTanh)
        << name;
  }
}

}  // namespace
}  // namespace embedding
