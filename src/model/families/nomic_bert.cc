// nomic's BERT (Nussbaum et al. 2024): rotary positions, gated feed-forwards; in version 2 a
// mixture of experts in every second layer. Its config has two forms: that of the repositories,
// written for code of their own, with GPT-2's names and flags for what else that code can do; and
// transformers'.
#include <string>

#include "model/families/bert.h"
#include "model/families/config_fields.h"
#include "model/families/rope.h"
#include "model/families/rows.h"
#include "weights/model_error.h"

namespace embedding {
namespace {

// Of the hub's form, what its code computes otherwise.
Status CheckFlags(const JsonValue& config) {
  for (const std::string_view flag :
       {"prenorm", "parallel_block", "use_rms_norm", "causal", "scale_attn_by_inverse_layer_idx",
        "expert_choice_router", "moe_normalize_expert_weights"}) {
    RETURN_IF_ERROR(ExpectFlag(config, flag, false));
  }
  RETURN_IF_ERROR(ExpectFlag(config, "scale_attn_weights", true));
  for (const std::string_view field : {"rotary_emb_scale_base", "rotary_scaling_factor"}) {
    const auto value = config.Find(field);
    if (!value) continue;
    return ModelError("{}: {} {} is not supported; supported is null", config.place(), field,
                      value->Shown());
  }
  ASSIGN_OR_RETURN(const int64_t shared, config.Integer("num_shared_experts", 0, kMaxWidth, 0));
  ASSIGN_OR_RETURN(const int64_t divisor, config.Integer("ffn_div", 1, kMaxWidth, 1));
  if (shared == 0 && divisor == 1) return {};
  return ModelError(
      "{}: num_shared_experts {} and ffn_div {} are not supported; supported are 0 and 1",
      config.place(), shared, divisor);
}

Status ReadGate(const JsonValue& config, Encoder& encoder) {
  ASSIGN_OR_RETURN(const std::string name, config.String("activation_function", "gelu"));
  FeedForward form;
  form.gated = name == "swiglu" || name == "geglu" || name == "glu";
  if (form.gated) {
    form.activation = name == "swiglu"  ? Activation::kSilu
                      : name == "geglu" ? Activation::kGelu
                                        : Activation::kSigmoid;
  } else {
    ASSIGN_OR_RETURN(form.activation, ReadActivation(config, "activation_function", "gelu"));
  }
  ASSIGN_OR_RETURN(form.intermediate_bias, config.Bool("mlp_fc1_bias", true));
  ASSIGN_OR_RETURN(form.output_bias, config.Bool("mlp_fc2_bias", true));
  for (Layer& layer : encoder.layers) {
    form.width = layer.feed_forward.width;
    layer.feed_forward = form;
  }
  return {};
}

Status ReadExperts(const JsonValue& config, Encoder& encoder) {
  ASSIGN_OR_RETURN(const int64_t every, config.Integer("moe_every_n_layers", 0, kMaxLayers, 0));
  if (every == 0) return {};
  Experts experts;
  ASSIGN_OR_RETURN(experts.count, ReadSize(config, "num_experts", kMaxLayers));
  ASSIGN_OR_RETURN(experts.chosen, ReadSize(config, "moe_top_k", kMaxLayers));
  if (experts.chosen > experts.count) {
    return ModelError("{}: moe_top_k {} is more than num_experts {}", config.place(),
                      experts.chosen, experts.count);
  }
  for (size_t i = 0; i < encoder.layers.size(); ++i) {
    if (i % static_cast<size_t>(every) != 1) continue;
    FeedForward& feed_forward = encoder.layers[i].feed_forward;
    if (feed_forward.gated) {
      return ModelError("{}: activation_function with a gate is not supported with num_experts",
                        config.place());
    }
    feed_forward.experts = experts;
    feed_forward.intermediate_bias = false;
    feed_forward.output_bias = false;
  }
  return {};
}

Result<Encoder> ReadHubForm(const JsonValue& config) {
  RETURN_IF_ERROR(CheckFlags(config));
  ASSIGN_OR_RETURN(Encoder encoder, ReadSizes(config, {.hidden_size = "n_embd",
                                                       .layers = "n_layer",
                                                       .heads = "n_head",
                                                       .width = "n_inner"}));
  ASSIGN_OR_RETURN(encoder.max_tokens, ReadTokens(config, "n_positions", 1024));
  ASSIGN_OR_RETURN(const double share, config.Number("rotary_emb_fraction", 0));
  if (share == 0) {
    return ModelError(
        "{}: rotary_emb_fraction 0 is not supported: no positions but rotary ones are",
        config.place());
  }
  ASSIGN_OR_RETURN(Rope rope, ReadRope(config, {.head_dim = encoder.layers[0].attention.head_dim,
                                                .theta = "rotary_emb_base",
                                                .share = "rotary_emb_fraction"}));
  ASSIGN_OR_RETURN(rope.interleaved, config.Bool("rotary_emb_interleaved", false));
  RETURN_IF_ERROR(ReadPostNorms(config, "layer_norm_epsilon", 1e-5, encoder));
  ASSIGN_OR_RETURN(const bool attention_bias, config.Bool("qkv_proj_bias", true));
  for (Layer& layer : encoder.layers) {
    layer.attention.qkv_bias = attention_bias;
    layer.attention.output_bias = attention_bias;
    layer.attention.rope = rope;
  }
  RETURN_IF_ERROR(ReadGate(config, encoder));
  RETURN_IF_ERROR(ReadExperts(config, encoder));
  return encoder;
}

Result<Encoder> ReadLibraryForm(const JsonValue& config) {
  ASSIGN_OR_RETURN(Encoder encoder, ReadSizes(config, {.head_dim = "head_dim"}));
  ASSIGN_OR_RETURN(encoder.max_tokens, ReadTokens(config, "max_position_embeddings", 2048));
  ASSIGN_OR_RETURN(
      const Rope rope,
      ReadRope(config, {.head_dim = encoder.layers[0].attention.head_dim, .default_theta = 1000}));
  RETURN_IF_ERROR(ReadPostNorms(config, "layer_norm_eps", 1e-12, encoder));
  ASSIGN_OR_RETURN(const Activation activation, ReadActivation(config, "hidden_act", "silu"));
  for (Layer& layer : encoder.layers) {
    layer.attention.qkv_bias = false;
    layer.attention.output_bias = false;
    layer.attention.rope = rope;
    layer.feed_forward.activation = activation;
    layer.feed_forward.gated = true;
    layer.feed_forward.intermediate_bias = false;
    layer.feed_forward.output_bias = false;
  }
  return encoder;
}

Result<Encoder> ReadEncoder(const JsonValue& config) {
  RETURN_IF_ERROR(ExpectEncoder(config));
  ASSIGN_OR_RETURN(Encoder encoder,
                   config.Has("n_embd") ? ReadHubForm(config) : ReadLibraryForm(config));
  ASSIGN_OR_RETURN(encoder.token_types, ReadCount(config, "type_vocab_size", kMaxWidth, 2));
  return encoder;
}

}  // namespace

constinit const Family kNomicBert = {
    .model_types = "nomic_bert",
    .tokenizer_class = "BertTokenizer",
    .read_encoder = ReadEncoder,
    .prefixes = "nomic_bert|bert",
    .tensors =
        {
            .word_embeddings = "embeddings.word_embeddings",
            .token_type_embeddings = "embeddings.token_type_embeddings",
            .embeddings_norm = "emb_ln|embeddings.LayerNorm",
            .layers = "encoder.layers|layers",
            .layer =
                {
                    .query = "self_attn.q_proj",
                    .key = "self_attn.k_proj",
                    .value = "self_attn.v_proj",
                    .query_key_value = "attn.Wqkv",
                    .attention_output = "attn.out_proj|self_attn.o_proj",
                    .attention_norms = {.output = "norm1|post_attention_layernorm"},
                    .gate = "mlp.fc12|mlp.gate_proj",
                    .intermediate = "mlp.fc11|mlp.fc1|mlp.up_proj",
                    .output = "mlp.fc2|mlp.down_proj",
                    .feed_forward_norms = {.output = "norm2|post_mlp_layernorm"},
                    .experts = {.router = "mlp.router.layer",
                                .intermediate = "mlp.experts.mlp.w1",
                                .output = "mlp.experts.mlp.w2",
                                .bias = "mlp.experts.bias"},
                },
        },
};

}  // namespace embedding
