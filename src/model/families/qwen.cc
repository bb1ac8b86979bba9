// Qwen 2 and 3: Llama with biases of queries, keys and values, or with norms of queries and keys.
#include <string>
#include <vector>

#include "model/families/config_fields.h"
#include "model/families/llama.h"
#include "model/families/rows.h"

namespace embedding {
namespace {

// Of the layers from max_window_layers on, or those that layer_types names.
Status ReadWindows(const JsonValue& config, Encoder& encoder) {
  ASSIGN_OR_RETURN(const bool has_windows, config.Bool("use_sliding_window", false));
  const size_t layers = encoder.layers.size();
  ASSIGN_OR_RETURN(std::vector<bool> windowed, ReadWindowedLayers(config, layers));
  ASSIGN_OR_RETURN(const size_t first, ReadCount(config, "max_window_layers", kMaxLayers, 28));
  for (size_t i = windowed.size(); i < layers; ++i) windowed.push_back(has_windows && i >= first);
  ASSIGN_OR_RETURN(const size_t window, ReadSize(config, "sliding_window", kMaxPositions, 4096));
  for (size_t i = 0; i < layers; ++i) {
    if (has_windows && windowed[i]) SetWindow(window, encoder.layers[i].attention);
  }
  return {};
}

Result<Encoder> ReadQwen2(const JsonValue& config) {
  ASSIGN_OR_RETURN(Encoder encoder, ReadLlamaEncoder(config, {.kv_heads = 32}));
  for (Layer& layer : encoder.layers) layer.attention.qkv_bias = true;
  RETURN_IF_ERROR(ReadWindows(config, encoder));
  return encoder;
}

Result<Encoder> ReadQwen3(const JsonValue& config) {
  ASSIGN_OR_RETURN(Encoder encoder, ReadLlamaEncoder(config, {.kv_heads = 32, .head_dim = 128}));
  RETURN_IF_ERROR(ReadLlamaBiases(config, encoder));
  for (Layer& layer : encoder.layers) {
    layer.attention.query_norm = encoder.final_norm;
    layer.attention.key_norm = encoder.final_norm;
  }
  RETURN_IF_ERROR(ReadWindows(config, encoder));
  return encoder;
}

}  // namespace

constinit const Family kQwen2 = {
    .model_types = "qwen2",
    .tokenizer_class = "Qwen2Tokenizer",
    .read_encoder = ReadQwen2,
    .prefixes = "model",
    .tensors = kLlamaTensors,
    .classifier = kScoreClassifier,
    .language_model = "lm_head",
};

constinit const Family kQwen3 = {
    .model_types = "qwen3",
    .tokenizer_class = "Qwen2Tokenizer",
    .read_encoder = ReadQwen3,
    .prefixes = "model",
    .tensors = kLlamaTensors,
    .classifier = kScoreClassifier,
    .language_model = "lm_head",
};

}  // namespace embedding
