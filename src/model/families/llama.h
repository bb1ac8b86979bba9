// What Llama's family (Touvron et al. 2023) hands on to those that are nearly it: pre-norm by
// RMSNorm, rotary positions, heads that share their keys and values, gated feed-forwards, each
// token seeing those before it.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "model/families.h"

namespace embedding {

inline constexpr LayerTensorNames kLlamaLayerTensors = {
    .query = "self_attn.q_proj",
    .key = "self_attn.k_proj",
    .value = "self_attn.v_proj",
    .attention_output = "self_attn.o_proj",
    .query_norm = "self_attn.q_norm",
    .key_norm = "self_attn.k_norm",
    .attention_norms = {.input = "input_layernorm"},
    .gate = "mlp.gate_proj",
    .intermediate = "mlp.up_proj",
    .output = "mlp.down_proj",
    .feed_forward_norms = {.input = "post_attention_layernorm"},
};

inline constexpr EncoderTensorNames kLlamaTensors = {
    .word_embeddings = "embed_tokens",
    .layers = "layers",
    .layer = kLlamaLayerTensors,
    .final_norm = "norm",
};

// Of Gemma, with norms before and after each half.
inline constexpr LayerTensorNames kGemmaLayerTensors = {
    .query = "self_attn.q_proj",
    .key = "self_attn.k_proj",
    .value = "self_attn.v_proj",
    .attention_output = "self_attn.o_proj",
    .query_norm = "self_attn.q_norm",
    .key_norm = "self_attn.k_norm",
    .attention_norms = {.input = "input_layernorm", .branch = "post_attention_layernorm"},
    .gate = "mlp.gate_proj",
    .intermediate = "mlp.up_proj",
    .output = "mlp.down_proj",
    .feed_forward_norms = {.input = "pre_feedforward_layernorm",
                           .branch = "post_feedforward_layernorm"},
    .output_scale = "layer_scalar",
};

// Where the defaults of the families' classes differ.
struct LlamaDefaults {
  std::optional<int64_t> kv_heads = {};  // none: as many as heads
  std::optional<int64_t> head_dim = {};  // none: hidden_size / heads
  int64_t max_tokens = 32768;
  double eps = 1e-6;
  std::string activation = "silu";
};

// The sizes, norms, feed-forwards and the number of tokens; attention both ways, without biases and
// without positions.
Result<Encoder> ReadLlamaSizes(const JsonValue& config, const LlamaDefaults& defaults);
// The same with rotary positions, causal unless is_causal is false.
Result<Encoder> ReadLlamaEncoder(const JsonValue& config, const LlamaDefaults& defaults);
// Biases of attention by attention_bias, and of feed-forwards by mlp_bias.
Status ReadLlamaBiases(const JsonValue& config, Encoder& encoder);

// layer_types: of each layer, whether it sees a window of the text alone; empty if there is no such
// field.
Result<std::vector<bool>> ReadWindowedLayers(const JsonValue& config, size_t layers);
// Gives the layer a window of the `width` last tokens, a token itself being one of them, or of so
// many on each side of it where attention is not causal.
void SetWindow(size_t width, Attention& attention);

// score.weight of the last token that is none of padding.
Result<Classifier> ReadScoreClassifier(const JsonValue& config);

inline constexpr ClassifierForm kScoreClassifier = {ReadScoreClassifier, {.output = "score"}};

}  // namespace embedding
