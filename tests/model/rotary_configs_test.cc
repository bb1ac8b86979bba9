// Encoders with rotary positions, or biases of scores: modernbert, nomic_bert, gte, t5.

#include <gmock/gmock.h>

#include <vector>

#include "model/config_fixture.h"

namespace embedding {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;

class RotaryConfigs : public ConfigTest {
 protected:
  static json Sizes(const std::string& model_type) {
    return {{"model_type", model_type},      {"hidden_size", 64},       {"num_hidden_layers", 4},
            {"num_attention_heads", 4},      {"intermediate_size", 96}, {"vocab_size", 1000},
            {"max_position_embeddings", 128}};
  }

  // As the hub's repositories of nomic have it.
  static json NomicHub() {
    return {{"model_type", "nomic_bert"},
            {"n_embd", 64},
            {"n_layer", 4},
            {"n_head", 4},
            {"n_inner", 96},
            {"n_positions", 128},
            {"vocab_size", 1000},
            {"rotary_emb_fraction", 1.0},
            {"rotary_emb_base", 1000},
            {"activation_function", "swiglu"},
            {"qkv_proj_bias", false},
            {"mlp_fc1_bias", false},
            {"mlp_fc2_bias", false},
            {"prenorm", false},
            {"rotary_scaling_factor", nullptr}};
  }

  // The second frequency of each layer tells the base.
  std::vector<float> Bases() {
    std::vector<float> bases;
    for (const Layer& layer : ReadEncoder().layers) {
      bases.push_back(std::pow(layer.attention.rope->frequencies[1], -8.0F));
    }
    return bases;
  }
};

TEST_F(RotaryConfigs, ModernbertHasWindowsBetweenLayersThatSeeAll) {
  config_ = Sizes("modernbert");
  const Encoder encoder = ReadEncoder();
  EXPECT_EQ(encoder.max_tokens, 128U);
  EXPECT_EQ(encoder.positions.count, 0U);
  EXPECT_EQ(encoder.token_types, 0U);
  EXPECT_FALSE(encoder.embeddings_norm->has_bias());
  EXPECT_EQ(encoder.final_norm->eps, 1e-5F);
  EXPECT_FALSE(encoder.layers[0].attention_norms.input);
  EXPECT_TRUE(encoder.layers[1].attention_norms.input);
  EXPECT_TRUE(encoder.layers[0].feed_forward_norms.input);
  EXPECT_FALSE(encoder.layers[0].feed_forward_norms.output);
  EXPECT_TRUE(encoder.layers[0].feed_forward.gated);
  EXPECT_FALSE(encoder.layers[0].feed_forward.output_bias);
  EXPECT_FALSE(encoder.layers[0].attention.qkv_bias);
  EXPECT_THAT(Windows(), ElementsAre(-1, 64, 64, -1));
  config_["global_attn_every_n_layers"] = 2;
  config_["local_attention"] = 9;
  EXPECT_THAT(Windows(), ElementsAre(-1, 4, -1, 4));
  // Which wins.
  config_["layer_types"] = {"sliding_attention", "full_attention", "full_attention",
                            "full_attention"};
  EXPECT_THAT(Windows(), ElementsAre(4, -1, -1, -1));
  config_["layer_types"] = {"full_attention"};
  EXPECT_THAT(ErrorMessage(), HasSubstr("layer_types has 1 types, but there are 4 layers"));
  config_["layer_types"] = {"full_attention", "chunked_attention", "full_attention",
                            "full_attention"};
  EXPECT_THAT(ErrorMessage(), HasSubstr("layer_types has \"chunked_attention\""));
}

TEST_F(RotaryConfigs, ModernbertsWindowMayBeSaidByItsHalf) {
  config_ = Sizes("modernbert");
  config_["local_attention"] = 8;
  config_["sliding_window"] = 9;
  EXPECT_EQ(ReadEncoder().layers[1].attention.window, 9U);
}

TEST_F(RotaryConfigs, EncodersSeeBothWays) {
  for (const char* type :
       {"albert", "bert", "distilbert", "gte", "modernbert", "nomic_bert", "t5"}) {
    config_ = Sizes(type);
    ExpectRefused("is_causal", true);
    ExpectRefused("is_decoder", true);
  }
}

TEST_F(RotaryConfigs, ModernbertHasTwoBases) {
  using testing::FloatNear;
  const auto are = [](float full, float local) {
    return ElementsAre(FloatNear(full, full / 1000), FloatNear(local, local / 1000),
                       FloatNear(local, local / 1000), FloatNear(full, full / 1000));
  };
  config_ = Sizes("modernbert");
  EXPECT_THAT(Bases(), are(160000, 10000));
  config_["global_rope_theta"] = 80000.0;
  config_["local_rope_theta"] = 500.0;
  EXPECT_THAT(Bases(), are(80000, 500));
  config_["local_rope_theta"] = nullptr;
  EXPECT_THAT(Bases(), are(80000, 80000));
  config_["rope_parameters"] = {
      {"full_attention", {{"rope_type", "default"}, {"rope_theta", 3000}}},
      {"sliding_attention", {{"rope_type", "default"}, {"rope_theta", 70}}}};
  EXPECT_THAT(Bases(), are(3000, 70));
  config_["rope_parameters"]["sliding_attention"]["rope_type"] = "dynamic";
  EXPECT_THAT(ErrorMessage(),
              HasSubstr("rope_parameters.sliding_attention: rope_type \"dynamic\""));
}

TEST_F(RotaryConfigs, ModernbertsHeadsAreAsItsConfigSays) {
  config_ = Sizes("modernbert");
  config_["architectures"] = {"ModernBertForSequenceClassification"};
  const Classifier classifier = *ReadGood().classifier;
  EXPECT_EQ(classifier.pooling, Pooling::kCls);
  EXPECT_EQ(classifier.dense, Activation::kGelu);
  EXPECT_FALSE(classifier.dense_bias);
  EXPECT_FALSE(classifier.norm->has_bias());
  EXPECT_EQ(classifier.labels, 2U);
  config_.update({{"classifier_pooling", "mean"},
                  {"classifier_activation", "silu"},
                  {"classifier_bias", true},
                  {"norm_bias", true},
                  {"num_labels", 1}});
  const Classifier other = *ReadGood().classifier;
  EXPECT_EQ(other.pooling, Pooling::kMean);
  EXPECT_EQ(other.dense, Activation::kSilu);
  EXPECT_TRUE(other.dense_bias);
  EXPECT_TRUE(other.norm->has_bias());
  EXPECT_EQ(other.labels, 1U);
  ExpectRefused("classifier_pooling", "max");
  config_["architectures"] = {"ModernBertForMaskedLM"};
  EXPECT_TRUE(ReadGood().masked_language->decoder_bias);
  config_["decoder_bias"] = false;
  EXPECT_FALSE(ReadGood().masked_language->decoder_bias);
}

TEST_F(RotaryConfigs, NomicHasTwoForms) {
  config_ = NomicHub();
  const Encoder hub = ReadEncoder();
  config_ = Sizes("nomic_bert");
  const Encoder library = ReadEncoder();
  for (const Encoder& encoder : {hub, library}) {
    EXPECT_EQ(encoder.hidden_size, 64U);
    EXPECT_EQ(encoder.token_types, 2U);
    EXPECT_EQ(encoder.max_tokens, 128U);
    EXPECT_EQ(encoder.layers.size(), 4U);
    const Layer& layer = encoder.layers[3];
    EXPECT_EQ(layer.feed_forward.width, 96U);
    EXPECT_EQ(layer.feed_forward.activation, Activation::kSilu);
    EXPECT_TRUE(layer.feed_forward.gated);
    EXPECT_FALSE(layer.feed_forward.intermediate_bias || layer.feed_forward.output_bias);
    EXPECT_FALSE(layer.attention.qkv_bias || layer.attention.output_bias);
    EXPECT_TRUE(layer.attention_norms.output && layer.feed_forward_norms.output);
    EXPECT_EQ(layer.attention.rope, hub.layers[0].attention.rope);
  }
  // The defaults of GPT-2's config in one form, BERT's in the other.
  EXPECT_EQ(hub.embeddings_norm->eps, 1e-5F);
  EXPECT_EQ(library.embeddings_norm->eps, 1e-12F);
}

TEST_F(RotaryConfigs, NomicsHubFormRefusesWhatItsCodeDoesBesides) {
  config_ = NomicHub();
  for (const char* flag :
       {"prenorm", "parallel_block", "use_rms_norm", "causal", "scale_attn_by_inverse_layer_idx",
        "expert_choice_router", "moe_normalize_expert_weights"}) {
    ExpectRefused(flag, true);
  }
  ExpectRefused("scale_attn_weights", false);
  ExpectRefused("rotary_scaling_factor", 2.0);
  ExpectRefused("rotary_emb_scale_base", 512);
  ExpectRefused("rotary_emb_fraction", 0);
  ExpectRefused("num_shared_experts", 1);
  ExpectRefused("activation_function", "mish");
  config_["rotary_emb_interleaved"] = true;
  config_["rotary_emb_fraction"] = 0.5;
  EXPECT_TRUE(ReadEncoder().layers[0].attention.rope->interleaved);
  EXPECT_EQ(ReadEncoder().layers[0].attention.rope->rotated(), 8U);
}

TEST_F(RotaryConfigs, NomicMayHaveExpertsInSomeLayers) {
  config_ = NomicHub();
  config_.update({{"activation_function", "gelu"},
                  {"mlp_fc1_bias", true},
                  {"mlp_fc2_bias", true},
                  {"num_experts", 8},
                  {"moe_top_k", 2},
                  {"moe_every_n_layers", 2}});
  const Encoder encoder = ReadEncoder();
  for (size_t i = 0; i < 4; ++i) {
    const FeedForward& feed_forward = encoder.layers[i].feed_forward;
    EXPECT_EQ(feed_forward.experts.has_value(), i % 2 == 1) << i;
    EXPECT_FALSE(feed_forward.gated);
    EXPECT_EQ(feed_forward.intermediate_bias, i % 2 == 0) << i;
  }
  EXPECT_EQ(encoder.layers[1].feed_forward.experts->count, 8U);
  EXPECT_EQ(encoder.layers[1].feed_forward.experts->chosen, 2U);
  ExpectRefused("moe_top_k", 9);
  EXPECT_THAT(ErrorWith("activation_function", "swiglu"), HasSubstr("gate is not supported"));
}

TEST_F(RotaryConfigs, GteHasTwoForms) {
  config_ = Sizes("gte");
  EXPECT_NEAR(Bases()[0], 160000, 200);
  config_["type_vocab_size"] = 0;
  EXPECT_EQ(ReadEncoder().token_types, 0U);
  config_ = Sizes("new");
  EXPECT_NEAR(Bases()[0], 10000, 10);
  config_["rope_theta"] = 100;
  EXPECT_NEAR(Bases()[0], 100, 0.1);
  EXPECT_EQ(ReadEncoder().token_types, 1U);
  EXPECT_TRUE(ReadEncoder().layers[0].attention.qkv_bias);
  EXPECT_FALSE(ReadEncoder().layers[0].feed_forward.intermediate_bias);
  EXPECT_TRUE(ReadEncoder().layers[0].feed_forward.output_bias);
  EXPECT_EQ(ReadGood().family->name(), "gte");
  ExpectRefused("position_embedding_type", "absolute");
  ExpectRefused("layer_norm_type", "rms_norm");
  ExpectRefused("logn_attention_scale", true);
}

TEST_F(RotaryConfigs, GteGivesWeightsOfTokensWhereOneLabelSaysSo) {
  config_ = Sizes("new");
  EXPECT_FALSE(ReadGood().token_weights);
  config_["architectures"] = {"NewForTokenClassification"};
  config_["id2label"] = {{"0", "LABEL_0"}};
  EXPECT_TRUE(ReadGood().token_weights);
  config_.erase("id2label");  // two labels, as those that find names have
  EXPECT_FALSE(ReadGood().token_weights);
}

TEST_F(RotaryConfigs, T5HasItsFeedForwardsByName) {
  config_ = {{"model_type", "t5"}, {"d_model", 64}, {"num_layers", 2},   {"num_heads", 3},
             {"d_kv", 12},         {"d_ff", 96},    {"vocab_size", 1000}};
  const Encoder encoder = ReadEncoder();
  const Layer& layer = encoder.layers[0];
  EXPECT_EQ(layer.attention.width(), 36U);
  EXPECT_EQ(layer.attention.scale, 1);
  EXPECT_FALSE(layer.attention.qkv_bias || layer.attention.output_bias);
  EXPECT_EQ(layer.attention_norms.input->kind, NormKind::kRms);
  EXPECT_EQ(layer.attention_norms.input->eps, 1e-6F);
  EXPECT_TRUE(layer.feed_forward_norms.input && encoder.final_norm);
  EXPECT_FALSE(encoder.embeddings_norm);
  EXPECT_EQ(layer.feed_forward.activation, Activation::kRelu);
  EXPECT_FALSE(layer.feed_forward.gated);
  EXPECT_EQ(encoder.relative_bias->buckets, 32U);
  EXPECT_EQ(encoder.relative_bias->max_distance, 128U);
  EXPECT_EQ(encoder.max_tokens, kUnlimitedTokens);
  config_["feed_forward_proj"] = "gated-gelu";
  EXPECT_EQ(ReadEncoder().layers[0].feed_forward.activation, Activation::kGeluTanh);
  EXPECT_TRUE(ReadEncoder().layers[0].feed_forward.gated);
  config_["feed_forward_proj"] = "gated-silu";
  EXPECT_EQ(ReadEncoder().layers[0].feed_forward.activation, Activation::kSilu);
  config_["feed_forward_proj"] = "gelu";
  EXPECT_EQ(ReadEncoder().layers[0].feed_forward.activation, Activation::kGelu);
  config_.erase("feed_forward_proj");
  config_["model_type"] = "mt5";
  EXPECT_EQ(ReadEncoder().layers[0].feed_forward.activation, Activation::kGeluTanh);
  EXPECT_TRUE(ReadEncoder().layers[0].feed_forward.gated);
  config_.update({{"feed_forward_proj", "relu"}, {"dense_act_fn", "silu"}, {"is_gated_act", true}});
  EXPECT_EQ(ReadEncoder().layers[0].feed_forward.activation, Activation::kSilu);
  EXPECT_TRUE(ReadEncoder().layers[0].feed_forward.gated);
  EXPECT_THAT(ErrorWith("dense_act_fn", "mish"), HasSubstr("dense_act_fn \"mish\""));
  config_.erase("dense_act_fn");
  ExpectRefused("is_decoder", true);
  EXPECT_THAT(ErrorWith("feed_forward_proj", "gated-mish"),
              HasSubstr("feed_forward_proj \"mish\" is not supported"));
  ExpectRefused("relative_attention_num_buckets", 2);
  EXPECT_THAT(ErrorWith("relative_attention_max_distance", 8),
              HasSubstr("relative_attention_max_distance 8"));
  ExpectRefused("d_kv", 0);
}

}  // namespace
}  // namespace embedding
