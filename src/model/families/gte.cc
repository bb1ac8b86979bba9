// gte (Zhang et al. 2024, "mGTE"): rotary positions, gated feed-forwards. "new" is what its own
// code in the repositories calls it, whose config has the same sizes and flags besides.
#include <string>

#include "model/families/bert.h"
#include "model/families/config_fields.h"
#include "model/families/rope.h"
#include "model/families/rows.h"

namespace embedding {
namespace {

// The base where a config has none: of the repositories' code, or of transformers' class.
Result<double> DefaultTheta(const JsonValue& config) {
  ASSIGN_OR_RETURN(const std::string model_type, config.String("model_type"));
  return model_type == "new" ? 10000.0 : 160000.0;
}

Result<Encoder> ReadEncoder(const JsonValue& config) {
  RETURN_IF_ERROR(ExpectName(config, "position_embedding_type", "rope"));
  RETURN_IF_ERROR(ExpectName(config, "layer_norm_type", "layer_norm"));
  RETURN_IF_ERROR(ExpectFlag(config, "logn_attention_scale", false));
  RETURN_IF_ERROR(ExpectEncoder(config));
  ASSIGN_OR_RETURN(Encoder encoder, ReadSizes(config));
  ASSIGN_OR_RETURN(encoder.max_tokens, ReadTokens(config, "max_position_embeddings", 8192));
  ASSIGN_OR_RETURN(encoder.token_types, ReadCount(config, "type_vocab_size", kMaxWidth, 1));
  ASSIGN_OR_RETURN(const double theta, DefaultTheta(config));
  ASSIGN_OR_RETURN(
      const Rope rope,
      ReadRope(config, {.head_dim = encoder.layers[0].attention.head_dim, .default_theta = theta}));
  RETURN_IF_ERROR(ReadPostNorms(config, "layer_norm_eps", 1e-12, encoder));
  ASSIGN_OR_RETURN(const Activation activation, ReadActivation(config, "hidden_act", "gelu"));
  for (Layer& layer : encoder.layers) {
    layer.attention.rope = rope;
    layer.feed_forward.activation = activation;
    layer.feed_forward.gated = true;
    layer.feed_forward.intermediate_bias = false;
  }
  return encoder;
}

Result<Splade> ReadMaskedLanguage(const JsonValue& config) {
  Splade head;
  ASSIGN_OR_RETURN(head.norm.eps, ReadEpsilon(config, "layer_norm_eps", 1e-12));
  ASSIGN_OR_RETURN(head.activation, ReadActivation(config, "hidden_act", "gelu"));
  return head;
}

}  // namespace

constinit const Family kGte = {
    .model_types = "gte|new",
    .tokenizer_class = "XLMRobertaTokenizer",
    .read_encoder = ReadEncoder,
    .prefixes = "gte|new",
    .tensors =
        {
            .word_embeddings = "embeddings.word_embeddings",
            .token_type_embeddings = "embeddings.token_type_embeddings",
            .embeddings_norm = "embeddings.LayerNorm",
            .layers = "encoder.layer|layers",
            .layer =
                {
                    .query = "attention.q_proj|self_attn.q_proj",
                    .key = "attention.k_proj|self_attn.k_proj",
                    .value = "attention.v_proj|self_attn.v_proj",
                    .query_key_value = "attention.qkv_proj",
                    .attention_output = "attention.o_proj|self_attn.o_proj",
                    .attention_norms = {.output = "attn_ln|post_attention_layernorm"},
                    .gate = "mlp.gate_proj",
                    .intermediate = "mlp.up_proj",
                    .gate_and_intermediate = "mlp.up_gate_proj",
                    .gate_first = false,
                    .output = "mlp.down_proj",
                    .feed_forward_norms = {.output = "mlp_ln|post_mlp_layernorm"},
                },
        },
    .classifier = {ReadTanhClassifier,
                   {.dense = "pooler.dense", .dense_is_encoders = true, .output = "classifier"}},
    .masked_language = {ReadMaskedLanguage,
                        {.transform = "lm_head.dense",
                         .norm = "lm_head.norm|lm_head.layer_norm",
                         .decoder = "lm_head.decoder"}},
    .token_weights = "classifier",
};

}  // namespace embedding
