// EmbeddingGemma 2 (2026), of which texts take the text model alone: Gemma's layers, attention both
// ways, some of them with wider heads, and inputs of their own made of the embeddings; tokens'
// vectors are projected at the end.
#include <algorithm>
#include <cmath>
#include <string>
#include <vector>

#include "model/families/config_fields.h"
#include "model/families/llama.h"
#include "model/families/rope.h"
#include "model/families/rows.h"
#include "weights/model_error.h"

namespace embedding {
namespace {

// The text model's own, where there are others besides.
Result<JsonValue> TextConfig(const JsonValue& config) {
  const auto text = config.Find("text_config");
  if (!text) return config;
  RETURN_IF_ERROR(text->ExpectObject());
  return *text;
}

// Of each layer, whether it sees a window of the text; the last never does.
Result<std::vector<bool>> ReadWindowed(const JsonValue& config, size_t layers) {
  ASSIGN_OR_RETURN(std::vector<bool> windowed, ReadWindowedLayers(config, layers));
  ASSIGN_OR_RETURN(const size_t pattern, ReadSize(config, "sliding_window_pattern", kMaxLayers, 6));
  for (size_t i = windowed.size(); i < layers; ++i) windowed.push_back((i + 1) % pattern != 0);
  windowed.back() = false;
  return windowed;
}

// Of the layers that see the whole text, or of those that per_layer_config names.
Status ReadHeads(const JsonValue& config, const std::vector<bool>& windowed, Encoder& encoder) {
  const auto of_layers = config.Find("per_layer_config");
  ASSIGN_OR_RETURN(const size_t wide, ReadSize(config, "global_head_dim", kMaxWidth, 512));
  ASSIGN_OR_RETURN(const size_t few, ReadSize(config, "num_global_key_value_heads", kMaxWidth, 1));
  for (size_t i = 0; i < encoder.layers.size(); ++i) {
    Attention& attention = encoder.layers[i].attention;
    if (!of_layers && !windowed[i]) {
      attention.head_dim = wide;
      attention.kv_heads = few;
    } else if (const auto own = of_layers ? of_layers->Find(std::to_string(i)) : std::nullopt) {
      ASSIGN_OR_RETURN(attention.head_dim, ReadSize(*own, "head_dim", kMaxWidth,
                                                    static_cast<int64_t>(attention.head_dim)));
      ASSIGN_OR_RETURN(attention.kv_heads, ReadSize(*own, "num_key_value_heads", kMaxWidth,
                                                    static_cast<int64_t>(attention.kv_heads)));
    }
    if (attention.heads % attention.kv_heads != 0) {
      return ModelError("{}: layer {} has {} heads for {} of keys and values", config.place(), i,
                        attention.heads, attention.kv_heads);
    }
    if (attention.qkv_width() > 48 * static_cast<size_t>(kMaxWidth)) {
      return ModelError("{}: layer {} has heads that are too wide", config.place(), i);
    }
  }
  return {};
}

Result<Encoder> ReadEncoder(const JsonValue& whole) {
  ASSIGN_OR_RETURN(const JsonValue config, TextConfig(whole));
  ASSIGN_OR_RETURN(Encoder encoder, ReadLlamaSizes(config, {.kv_heads = 2,
                                                            .head_dim = 256,
                                                            .max_tokens = 262144,
                                                            .activation = "gelu_pytorch_tanh"}));
  if (whole.Has("text_config")) encoder.max_tokens = kUnlimitedTokens;  // which it has none of
  encoder.embedding_scale = std::sqrt(static_cast<float>(encoder.hidden_size));
  ASSIGN_OR_RETURN(const bool bias, config.Bool("attention_bias", false));
  ASSIGN_OR_RETURN(const size_t window, ReadSize(config, "sliding_window", kMaxPositions, 512));
  ASSIGN_OR_RETURN(const std::vector<bool> windowed, ReadWindowed(config, encoder.layers.size()));
  RETURN_IF_ERROR(ReadHeads(config, windowed, encoder));
  const Norm norm = *encoder.final_norm;
  for (size_t i = 0; i < encoder.layers.size(); ++i) {
    Layer& layer = encoder.layers[i];
    layer.attention_norms = {.input = norm, .branch = norm, .output = {}};
    layer.feed_forward_norms = {.input = norm, .branch = norm, .output = {}};
    layer.scales_output = true;
    Attention& attention = layer.attention;
    attention.qkv_bias = bias;
    attention.output_bias = bias;
    attention.scale = 1;
    attention.query_norm = norm;
    attention.key_norm = norm;
    attention.value_norm = norm;
    attention.value_norm->weighted = false;
    if (windowed[i]) attention.window = window;
    const char* const type = windowed[i] ? "sliding_attention" : "full_attention";
    ASSIGN_OR_RETURN(attention.rope, ReadRope(config, {.head_dim = attention.head_dim,
                                                       .default_theta = windowed[i] ? 1e4 : 1e6,
                                                       .layer_type = type}));
  }
  LayerInputs& inputs = encoder.layer_inputs.emplace();
  ASSIGN_OR_RETURN(inputs.size, ReadSize(config, "hidden_size_per_layer_input", kMaxWidth, 512));
  inputs.scale = 1 / std::sqrt(static_cast<float>(encoder.hidden_size));
  inputs.activation = encoder.layers[0].feed_forward.activation;
  inputs.norm = norm;
  inputs.branch_norm = norm;
  return encoder;
}

Result<size_t> ReadProjection(const JsonValue& whole) {
  ASSIGN_OR_RETURN(const JsonValue config, TextConfig(whole));
  return ReadSize(config, "embedding_dim", kMaxWidth, 768);
}

}  // namespace

constinit const Family kEmbeddingGemma2 = {
    .model_types = "embedding_gemma2|embedding_gemma2_text",
    .read_encoder = ReadEncoder,
    .prefixes = "language_model|model.language_model|model",
    .tensors =
        {
            .word_embeddings = "embed_tokens",
            .layers = "layers",
            .layer = kGemmaLayerTensors,
            .layer_inputs = {.input = "ple.per_layer_model_projection",
                             .norm = "ple.per_layer_projection_norm",
                             .gate = "ple_block.per_layer_input_gate",
                             .output = "ple_block.per_layer_projection",
                             .branch_norm = "ple_block.post_per_layer_input_norm"},
            .final_norm = "norm",
        },
    .token_projection = {ReadProjection, "embedding_projection"},
};

}  // namespace embedding
