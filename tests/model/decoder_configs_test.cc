// Llama's family and what is nearly it: llama, mistral, qwen2, qwen3, eurobert, gemma3_text,
// embedding_gemma2; and jina's XLM-RoBERTa with adapters.

#include <gmock/gmock.h>

#include <cmath>
#include <vector>

#include "model/config_fixture.h"

namespace embedding {
namespace {

using testing::Each;
using testing::ElementsAre;
using testing::HasSubstr;

class DecoderConfigs : public ConfigTest {
 protected:
  static json Sizes(const std::string& model_type) {
    return {{"model_type", model_type},      {"hidden_size", 64},       {"num_hidden_layers", 4},
            {"num_attention_heads", 8},      {"intermediate_size", 96}, {"vocab_size", 1000},
            {"num_key_value_heads", 2},      {"head_dim", 12},          {"rms_norm_eps", 1e-5},
            {"max_position_embeddings", 128}};
  }

  // The second frequency of each layer tells the base.
  std::vector<double> Bases() {
    std::vector<double> bases;
    for (const Layer& layer : ReadEncoder().layers) {
      const auto numbers = static_cast<double>(layer.attention.head_dim);
      bases.push_back(
          std::round(std::pow(double{layer.attention.rope->frequencies[1]}, -numbers / 2)));
    }
    return bases;
  }
};

TEST_F(DecoderConfigs, LlamaIsTheirBase) {
  config_ = Sizes("llama");
  const Encoder encoder = ReadEncoder();
  EXPECT_EQ(encoder.hidden_size, 64U);
  EXPECT_EQ(encoder.max_tokens, 128U);
  EXPECT_EQ(encoder.token_types, 0U);
  EXPECT_FALSE(encoder.embeddings_norm);
  EXPECT_EQ(encoder.final_norm->kind, NormKind::kRms);
  EXPECT_EQ(encoder.final_norm->eps, 1e-5F);
  const Layer& layer = encoder.layers[3];
  EXPECT_TRUE(layer.attention_norms.input && layer.feed_forward_norms.input);
  EXPECT_FALSE(layer.attention_norms.output || layer.attention_norms.branch);
  EXPECT_TRUE(layer.attention.causal);
  EXPECT_EQ(layer.attention.heads, 8U);
  EXPECT_EQ(layer.attention.kv_heads, 2U);
  EXPECT_EQ(layer.attention.head_dim, 12U);
  EXPECT_FLOAT_EQ(layer.attention.scale, 1 / std::sqrt(12.0F));
  EXPECT_FALSE(layer.attention.qkv_bias || layer.attention.output_bias);
  EXPECT_FALSE(layer.attention.query_norm);
  EXPECT_TRUE(layer.feed_forward.gated);
  EXPECT_EQ(layer.feed_forward.activation, Activation::kSilu);
  EXPECT_FALSE(layer.feed_forward.intermediate_bias || layer.feed_forward.output_bias);
  EXPECT_THAT(Bases(), Each(10000));

  // What is not said.
  for (const char* field :
       {"num_key_value_heads", "head_dim", "rms_norm_eps", "max_position_embeddings"}) {
    config_.erase(field);
  }
  const Encoder other = ReadEncoder();
  EXPECT_EQ(other.layers[0].attention.kv_heads, 8U);
  EXPECT_EQ(other.layers[0].attention.head_dim, 8U);
  EXPECT_EQ(other.final_norm->eps, 1e-6F);
  EXPECT_EQ(other.max_tokens, 2048U);

  config_["attention_bias"] = true;
  EXPECT_TRUE(ReadEncoder().layers[0].attention.output_bias);
  EXPECT_FALSE(ReadEncoder().layers[0].feed_forward.output_bias);
  config_["mlp_bias"] = true;
  EXPECT_TRUE(ReadEncoder().layers[0].feed_forward.intermediate_bias);
  config_["rope_parameters"] = {{"rope_type", "default"}, {"rope_theta", 500000}};
  EXPECT_THAT(Bases(), Each(500000));
  config_["is_causal"] = false;
  EXPECT_FALSE(ReadEncoder().layers[0].attention.causal);
  EXPECT_THAT(ErrorWith("num_key_value_heads", 3), HasSubstr("num_key_value_heads"));
  ExpectRefused("hidden_act", "swish-2");
}

TEST_F(DecoderConfigs, ClassifiersScoreTheLastTokenThatIsNoPadding) {
  config_ = Sizes("qwen3");
  config_["architectures"] = {"Qwen3ForSequenceClassification"};
  config_["num_labels"] = 1;
  const Classifier without = *ReadGood().classifier;
  EXPECT_EQ(without.pooling, Pooling::kLastToken);
  EXPECT_EQ(without.padding_id, std::nullopt);
  EXPECT_FALSE(without.dense || without.output_bias);
  EXPECT_EQ(without.labels, 1U);
  config_["pad_token_id"] = 0;
  EXPECT_EQ(ReadGood().classifier->padding_id, 0);
  EXPECT_THAT(ErrorWith("pad_token_id", -1), HasSubstr("pad_token_id"));
}

TEST_F(DecoderConfigs, MistralSeesAWindow) {
  config_ = Sizes("mistral");
  EXPECT_THAT(Windows(), Each(4095));
  config_["sliding_window"] = 16;  // the token itself is one of them
  EXPECT_THAT(Windows(), Each(15));
  config_["is_causal"] = false;
  EXPECT_THAT(Windows(), Each(16));
  config_["layer_types"] = {"full_attention", "sliding_attention", "full_attention",
                            "sliding_attention"};
  EXPECT_THAT(Windows(), ElementsAre(-1, 16, -1, 16));
  config_["sliding_window"] = nullptr;
  EXPECT_THAT(Windows(), Each(-1));
  config_.erase("num_key_value_heads");
  EXPECT_EQ(ReadEncoder().layers[0].attention.kv_heads, 8U);
  EXPECT_THAT(ErrorWith("sliding_window", 0), HasSubstr("sliding_window"));
}

TEST_F(DecoderConfigs, QwensWindowsAreOfTheLaterLayers) {
  for (const char* type : {"qwen2", "qwen3"}) {
    config_ = Sizes(type);
    config_["sliding_window"] = 16;
    config_["max_window_layers"] = 2;
    EXPECT_THAT(Windows(), Each(-1)) << type;  // which use_sliding_window turns on
    config_["use_sliding_window"] = true;
    EXPECT_THAT(Windows(), ElementsAre(-1, -1, 15, 15)) << type;
    config_["layer_types"] = {"sliding_attention", "full_attention", "sliding_attention",
                              "full_attention"};
    EXPECT_THAT(Windows(), ElementsAre(15, -1, 15, -1)) << type;
    EXPECT_THAT(ErrorWith("layer_types", {"full_attention"}), HasSubstr("layer_types has 1 types"));
  }
}

TEST_F(DecoderConfigs, QwensHaveBiasesOrNorms) {
  config_ = Sizes("qwen2");
  EXPECT_TRUE(ReadEncoder().layers[0].attention.qkv_bias);
  EXPECT_FALSE(ReadEncoder().layers[0].attention.output_bias);
  EXPECT_FALSE(ReadEncoder().layers[0].attention.query_norm);
  config_ = Sizes("qwen3");
  EXPECT_FALSE(ReadEncoder().layers[0].attention.qkv_bias);
  EXPECT_EQ(ReadEncoder().layers[0].attention.query_norm->kind, NormKind::kRms);
  EXPECT_TRUE(ReadEncoder().layers[0].attention.key_norm);
  config_.erase("head_dim");  // 128, whatever the sizes are
  EXPECT_EQ(ReadEncoder().layers[0].attention.head_dim, 128U);
}

TEST_F(DecoderConfigs, EuroBertSeesBothWays) {
  config_ = Sizes("eurobert");
  config_["is_causal"] = true;
  EXPECT_FALSE(ReadEncoder().layers[0].attention.causal);
  config_["architectures"] = {"EuroBertForSequenceClassification"};
  EXPECT_TRUE(ReadGood().classifier->pools_late);
  config_["classifier_pooling"] = "bos";
  EXPECT_EQ(ReadGood().classifier->pooling, Pooling::kCls);
  EXPECT_FALSE(ReadGood().classifier->pools_late);
  config_["classifier_pooling"] = "mean";
  EXPECT_EQ(ReadGood().classifier->pooling, Pooling::kMean);
  ExpectRefused("classifier_pooling", "max");
}

TEST_F(DecoderConfigs, Gemma3HasNormsOnBothSidesAndTwoBases) {
  config_ = Sizes("gemma3_text");
  config_["query_pre_attn_scalar"] = 100;
  config_["sliding_window"] = 10;
  config_["sliding_window_pattern"] = 2;
  const Encoder encoder = ReadEncoder();
  EXPECT_FLOAT_EQ(encoder.embedding_scale, 8);
  const Layer& layer = encoder.layers[0];
  EXPECT_TRUE(layer.attention_norms.input && layer.attention_norms.branch);
  EXPECT_TRUE(layer.feed_forward_norms.input && layer.feed_forward_norms.branch);
  EXPECT_TRUE(layer.attention_norms.branch->plus_one);
  EXPECT_TRUE(layer.attention.query_norm->plus_one);
  EXPECT_FLOAT_EQ(layer.attention.scale, 0.1F);
  EXPECT_TRUE(layer.attention.causal);
  EXPECT_EQ(layer.feed_forward.activation, Activation::kGeluTanh);
  EXPECT_THAT(Windows(), ElementsAre(9, -1, 9, -1));
  EXPECT_THAT(Bases(), ElementsAre(10000, 1000000, 10000, 1000000));
  ExpectRefused("is_causal", false);
  config_["use_bidirectional_attention"] = true;
  EXPECT_FALSE(ReadEncoder().layers[0].attention.causal);
  EXPECT_THAT(Windows(), ElementsAre(5, -1, 5, -1));
  config_["layer_types"] = {"full_attention", "full_attention", "full_attention",
                            "sliding_attention"};
  EXPECT_THAT(Windows(), ElementsAre(-1, -1, -1, 5));
  ExpectRefused("attn_logit_softcapping", 30.0);
  for (const double scalar : {0.0, -1.0, 1e90, 1e-90}) {
    EXPECT_THAT(ErrorWith("query_pre_attn_scalar", scalar), HasSubstr("query_pre_attn_scalar"));
  }
}

TEST_F(DecoderConfigs, EmbeddingGemma2HasWiderHeadsInSomeLayers) {
  config_ = {{"model_type", "embedding_gemma2"}, {"text_config", Sizes("embedding_gemma2_text")}};
  json& text = config_["text_config"];
  text["hidden_size_per_layer_input"] = 16;
  text["embedding_dim"] = 20;
  text["global_head_dim"] = 24;
  text["num_global_key_value_heads"] = 4;
  text["sliding_window"] = 10;
  text["sliding_window_pattern"] = 3;
  const Encoder encoder = ReadEncoder();
  EXPECT_THAT(Windows(), ElementsAre(10, 10, -1, -1));  // the last sees all
  EXPECT_EQ(encoder.layers[0].attention.head_dim, 12U);
  EXPECT_EQ(encoder.layers[3].attention.head_dim, 24U);
  EXPECT_EQ(encoder.layers[3].attention.kv_heads, 4U);
  EXPECT_EQ(encoder.layers[0].attention.scale, 1);
  EXPECT_FALSE(encoder.layers[0].attention.value_norm->weighted);
  EXPECT_TRUE(encoder.layers[0].scales_output);
  EXPECT_EQ(encoder.layer_inputs->size, 16U);
  EXPECT_FLOAT_EQ(encoder.layer_inputs->scale, 0.125F);
  // Its own fields say nothing of the layers that per_layer_config has.
  text["per_layer_config"] = {{"1", {{"head_dim", 32}, {"num_key_value_heads", 1}}}};
  EXPECT_EQ(ReadEncoder().layers[1].attention.head_dim, 32U);
  EXPECT_EQ(ReadEncoder().layers[1].attention.kv_heads, 1U);
  EXPECT_EQ(ReadEncoder().layers[3].attention.head_dim, 12U);
  text["per_layer_config"]["1"]["num_key_value_heads"] = 3;
  EXPECT_THAT(ErrorMessage(), HasSubstr("layer 1 has 8 heads for 3 of keys and values"));
  config_["text_config"] = 1;
  EXPECT_THAT(ErrorMessage(), HasSubstr("text_config"));
}

TEST_F(DecoderConfigs, JinaHasAnAdapterForEachTask) {
  config_ = {{"model_type", "xlm-roberta"},
             {"hidden_size", 64},
             {"num_hidden_layers", 2},
             {"num_attention_heads", 4},
             {"intermediate_size", 96},
             {"vocab_size", 1000},
             {"position_embedding_type", "rotary"},
             {"rotary_emb_base", 500},
             {"lora_adaptations", {"retrieval.query", "separation"}},
             {"lora_rank", 8},
             {"lora_alpha", 2}};
  const ConfigJson config = ReadGood();
  EXPECT_THAT(config.adapters, ElementsAre("retrieval.query", "separation"));
  const Encoder& encoder = config.encoder;
  EXPECT_EQ(encoder.adapters->count, 2U);
  EXPECT_EQ(encoder.adapters->rank, 8U);
  EXPECT_FLOAT_EQ(encoder.adapters->scale, 0.25F);
  EXPECT_EQ(encoder.positions.count, 0U);
  EXPECT_EQ(encoder.max_tokens, 8194U);
  EXPECT_TRUE(encoder.layers[0].attention_norms.output);
  EXPECT_FALSE(encoder.layers[0].feed_forward.gated);
  EXPECT_THAT(Bases(), Each(500));
  EXPECT_THAT(ErrorWith("lora_rank", 0), HasSubstr("lora_rank"));
  EXPECT_THAT(ErrorWith("lora_adaptations", {1}), HasSubstr("lora_adaptations"));
  config_["load_trained_adapters"] = false;
  EXPECT_FALSE(ReadEncoder().adapters);
  EXPECT_TRUE(ReadGood().adapters.empty());
}

}  // namespace
}  // namespace embedding
