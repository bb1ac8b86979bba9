// Encoders that are nearly BERT: distilbert, mpnet, electra, albert, camembert, deberta-v2.

#include <gmock/gmock.h>

#include <cmath>
#include <vector>

#include "model/config_fixture.h"

namespace embedding {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;

class BertLikeConfigs : public ConfigTest {
 protected:
  // What most of them have.
  static json Sizes(const std::string& model_type) {
    return {{"model_type", model_type},      {"hidden_size", 64},       {"num_hidden_layers", 2},
            {"num_attention_heads", 4},      {"intermediate_size", 96}, {"vocab_size", 1000},
            {"max_position_embeddings", 128}};
  }

  // Every half of every layer, and the embeddings, by a LayerNorm of that epsilon.
  static void ExpectPostNorms(const Encoder& encoder, float eps) {
    ASSERT_TRUE(encoder.embeddings_norm);
    EXPECT_EQ(encoder.embeddings_norm->eps, eps);
    for (const Layer& layer : encoder.layers) {
      for (const HalfNorms& half : {layer.attention_norms, layer.feed_forward_norms}) {
        EXPECT_FALSE(half.input || half.branch);
        ASSERT_TRUE(half.output);
        EXPECT_TRUE(half.output->has_bias());
        EXPECT_EQ(half.output->eps, eps);
      }
    }
  }
};

TEST_F(BertLikeConfigs, DistilbertHasSizesByOtherNames) {
  config_ = {{"model_type", "distilbert"},
             {"dim", 64},
             {"n_layers", 3},
             {"n_heads", 4},
             {"hidden_dim", 96},
             {"vocab_size", 1000},
             {"activation", "relu"},
             {"max_position_embeddings", 128},
             {"architectures", {"DistilBertForMaskedLM"}}};
  const ConfigJson config = ReadGood();
  const Encoder& encoder = config.encoder;
  EXPECT_EQ(encoder.hidden_size, 64U);
  EXPECT_EQ(encoder.layers.size(), 3U);
  EXPECT_EQ(encoder.layers[0].attention.head_dim, 16U);
  EXPECT_EQ(encoder.layers[0].feed_forward.width, 96U);
  EXPECT_EQ(encoder.layers[0].feed_forward.activation, Activation::kRelu);
  EXPECT_EQ(encoder.token_types, 0U);
  EXPECT_EQ(encoder.positions.count, 128U);
  EXPECT_EQ(encoder.positions.uncounted_id, std::nullopt);
  ExpectPostNorms(encoder, 1e-12F);
  ASSERT_TRUE(config.masked_language);
  EXPECT_EQ(config.masked_language->activation, Activation::kRelu);
  config_.erase("activation");
  config_["architectures"] = {"DistilBertForSequenceClassification"};
  EXPECT_EQ(ReadEncoder().layers[0].feed_forward.activation, Activation::kGelu);
  EXPECT_EQ(ReadGood().classifier->dense, Activation::kRelu);
  ExpectRefused("activation", "mish");
}

TEST_F(BertLikeConfigs, MpnetCountsFromOneAndHasItsBuckets) {
  config_ = Sizes("mpnet");
  config_["layer_norm_eps"] = 1e-5;
  config_["pad_token_id"] = 7;  // which its class does not look at
  const Encoder encoder = ReadEncoder();
  EXPECT_EQ(encoder.positions.first, 2U);
  EXPECT_EQ(encoder.positions.uncounted_id, 1);
  EXPECT_EQ(encoder.max_tokens, 126U);
  EXPECT_EQ(encoder.token_types, 0U);
  EXPECT_EQ(encoder.relative_bias->buckets, 32U);
  EXPECT_EQ(encoder.relative_bias->max_distance, 128U);
  ExpectPostNorms(encoder, 1e-5F);
  ExpectRefused("relative_attention_num_buckets", 64);
}

TEST_F(BertLikeConfigs, CamembertIsRoberta) {
  config_ = Sizes("camembert");
  config_["type_vocab_size"] = 1;
  EXPECT_EQ(ReadEncoder().positions.first, 2U);
  EXPECT_EQ(ReadEncoder().positions.uncounted_id, 1);
}

TEST_F(BertLikeConfigs, ElectraMayHaveNarrowEmbeddings) {
  config_ = Sizes("electra");
  config_["architectures"] = {"ElectraForSequenceClassification"};
  EXPECT_EQ(ReadEncoder().embedding_size, 128U);
  config_["embedding_size"] = 32;
  EXPECT_EQ(ReadEncoder().embedding_size, 32U);
  EXPECT_EQ(ReadEncoder().token_types, 2U);
  EXPECT_EQ(ReadGood().classifier->dense, Activation::kGelu);
  ExpectRefused("embedding_size", 0);
  ExpectRefused("position_embedding_type", "relative_key_query");
}

TEST_F(BertLikeConfigs, AlbertSharesWeightsInGroups) {
  config_ = Sizes("albert");
  config_["embedding_size"] = 32;
  EXPECT_EQ(ReadEncoder().layers[1].weights, 0U);
  EXPECT_EQ(ReadEncoder().layers[0].feed_forward.activation, Activation::kGeluTanh);
  config_["num_hidden_layers"] = 5;
  config_["num_hidden_groups"] = 2;
  config_["inner_group_num"] = 2;
  std::vector<size_t> weights;
  for (const Layer& layer : ReadEncoder().layers) weights.push_back(layer.weights);
  EXPECT_THAT(weights, ElementsAre(0, 1, 0, 1, 0, 1, 2, 3, 2, 3));
  ExpectRefused("num_hidden_groups", 6);
  ExpectRefused("inner_group_num", 1000);
  ExpectRefused("embedding_size", 64);
}

TEST_F(BertLikeConfigs, DebertaV3HasDisentangledAttention) {
  config_ = Sizes("deberta-v2");
  config_.update({{"relative_attention", true},
                  {"position_buckets", 32},
                  {"norm_rel_ebd", "layer_norm"},
                  {"share_att_key", true},
                  {"pos_att_type", "p2c|c2p"},
                  {"position_biased_input", false},
                  {"max_relative_positions", -1},
                  {"architectures", {"DebertaV2ForSequenceClassification"}}});
  const Encoder encoder = ReadEncoder();
  ASSERT_TRUE(encoder.disentangled);
  EXPECT_EQ(encoder.disentangled->span, 32U);
  EXPECT_EQ(encoder.disentangled->buckets, 32U);
  EXPECT_EQ(encoder.disentangled->max_distance, 128U);
  EXPECT_TRUE(encoder.disentangled->content_to_position);
  EXPECT_TRUE(encoder.disentangled->position_to_content);
  EXPECT_FALSE(encoder.disentangled->own_projections);
  EXPECT_EQ(encoder.disentangled->norm->eps, 1e-7F);
  EXPECT_EQ(encoder.positions.count, 0U);
  EXPECT_EQ(encoder.max_tokens, 128U);
  EXPECT_EQ(encoder.token_types, 0U);
  EXPECT_FLOAT_EQ(encoder.layers[0].attention.scale, 1 / std::sqrt(16.0F * 3));
  EXPECT_EQ(ReadGood().classifier->dense, Activation::kGelu);
  config_["pooler_hidden_act"] = "tanh";
  EXPECT_EQ(ReadGood().classifier->dense, Activation::kTanh);
}

TEST_F(BertLikeConfigs, DebertaV2HasMoreForms) {
  config_ = Sizes("deberta-v2");
  const Encoder plain = ReadEncoder();
  EXPECT_FALSE(plain.disentangled);
  EXPECT_EQ(plain.positions.count, 128U);
  EXPECT_FLOAT_EQ(plain.layers[0].attention.scale, 0.25F);
  config_.update({{"relative_attention", true},
                  {"pos_att_type", {"c2p"}},
                  {"max_relative_positions", 20},
                  {"type_vocab_size", 2},
                  {"embedding_size", 24}});
  const Encoder encoder = ReadEncoder();
  EXPECT_EQ(encoder.disentangled->span, 20U);
  EXPECT_EQ(encoder.disentangled->buckets, 0U);
  EXPECT_TRUE(encoder.disentangled->own_projections);
  EXPECT_FALSE(encoder.disentangled->position_to_content);
  EXPECT_FALSE(encoder.disentangled->norm);
  EXPECT_FLOAT_EQ(encoder.layers[0].attention.scale, 1 / std::sqrt(16.0F * 2));
  EXPECT_EQ(encoder.token_types, 2U);
  EXPECT_EQ(encoder.embedding_size, 24U);
  EXPECT_FALSE(encoder.projection_bias);
  EXPECT_FALSE(encoder.embeddings_norm);
  EXPECT_EQ(encoder.projected_norm->eps, 1e-7F);
}

TEST_F(BertLikeConfigs, DebertaV2OfManyLayersHasAConvolution) {
  config_ = Sizes("deberta-v2");
  EXPECT_FALSE(ReadEncoder().convolution);
  config_["conv_kernel_size"] = 3;
  Encoder encoder = ReadEncoder();
  ASSERT_TRUE(encoder.convolution);
  EXPECT_EQ(encoder.convolution->kernel, 3U);
  EXPECT_EQ(encoder.convolution->groups, 1U);
  EXPECT_EQ(encoder.convolution->activation, Activation::kTanh);
  EXPECT_EQ(encoder.convolution->norm.eps, 1e-7F);
  config_.update({{"conv_groups", 4}, {"conv_act", "gelu"}});
  encoder = ReadEncoder();
  EXPECT_EQ(encoder.convolution->groups, 4U);
  EXPECT_EQ(encoder.convolution->activation, Activation::kGelu);
}

TEST_F(BertLikeConfigs, DebertaRefusesWhatTheDataCannotSay) {
  config_ = Sizes("deberta-v2");
  config_["relative_attention"] = true;
  config_["pos_att_type"] = {"c2p", "p2c"};
  ExpectRefused("conv_kernel_size", 4);
  ExpectRefused("conv_kernel_size", 257);
  config_["conv_kernel_size"] = 3;
  ExpectRefused("conv_groups", 3);
  ExpectRefused("conv_groups", 0);
  EXPECT_THAT(ErrorWith("conv_act", "sine"), HasSubstr("conv_act \"sine\""));
  ExpectRefused("pooler_hidden_size", 32);
  ExpectRefused("attention_head_size", 8);
  EXPECT_THAT(ErrorWith("pos_att_type", "c2p|p2p"), HasSubstr("pos_att_type \"p2p\""));
  ExpectRefused("position_buckets", 2);
  ExpectRefused("position_buckets", 1000);
  EXPECT_THAT(ErrorWith("max_relative_positions", 1.5), HasSubstr("max_relative_positions"));
}

}  // namespace
}  // namespace embedding
