#include "model/families/llama.h"

#include <string>

#include "model/families/config_fields.h"
#include "model/families/rope.h"
#include "model/families/rows.h"
#include "weights/model_error.h"

namespace embedding {
namespace {

Result<Encoder> ReadEncoder(const JsonValue& config) {
  ASSIGN_OR_RETURN(Encoder encoder, ReadLlamaEncoder(config, {.max_tokens = 2048}));
  RETURN_IF_ERROR(ReadLlamaBiases(config, encoder));
  return encoder;
}

}  // namespace

Result<Encoder> ReadLlamaSizes(const JsonValue& config, const LlamaDefaults& defaults) {
  ASSIGN_OR_RETURN(Encoder encoder, ReadSizes(config, {.kv_heads = "num_key_value_heads",
                                                       .head_dim = "head_dim",
                                                       .default_kv_heads = defaults.kv_heads,
                                                       .default_head_dim = defaults.head_dim}));
  ASSIGN_OR_RETURN(encoder.max_tokens,
                   ReadTokens(config, "max_position_embeddings", defaults.max_tokens));
  Norm norm = {.kind = NormKind::kRms};
  ASSIGN_OR_RETURN(norm.eps, ReadEpsilon(config, "rms_norm_eps", defaults.eps));
  ASSIGN_OR_RETURN(const Activation activation,
                   ReadActivation(config, "hidden_act|hidden_activation", defaults.activation));
  encoder.final_norm = norm;
  for (Layer& layer : encoder.layers) {
    layer.attention.qkv_bias = false;
    layer.attention.output_bias = false;
    layer.attention_norms.input = norm;
    layer.feed_forward.activation = activation;
    layer.feed_forward.gated = true;
    layer.feed_forward.intermediate_bias = false;
    layer.feed_forward.output_bias = false;
    layer.feed_forward_norms.input = norm;
  }
  return encoder;
}

Result<Encoder> ReadLlamaEncoder(const JsonValue& config, const LlamaDefaults& defaults) {
  ASSIGN_OR_RETURN(Encoder encoder, ReadLlamaSizes(config, defaults));
  ASSIGN_OR_RETURN(const Rope rope,
                   ReadRope(config, {.head_dim = encoder.layers[0].attention.head_dim}));
  ASSIGN_OR_RETURN(const bool causal, config.Bool("is_causal", true));
  for (Layer& layer : encoder.layers) {
    layer.attention.rope = rope;
    layer.attention.causal = causal;
  }
  return encoder;
}

Status ReadLlamaBiases(const JsonValue& config, Encoder& encoder) {
  ASSIGN_OR_RETURN(const bool of_attention, config.Bool("attention_bias", false));
  ASSIGN_OR_RETURN(const bool of_feed_forward, config.Bool("mlp_bias", false));
  for (Layer& layer : encoder.layers) {
    layer.attention.qkv_bias = of_attention;
    layer.attention.output_bias = of_attention;
    layer.feed_forward.intermediate_bias = of_feed_forward;
    layer.feed_forward.output_bias = of_feed_forward;
  }
  return {};
}

Result<std::vector<bool>> ReadWindowedLayers(const JsonValue& config, size_t layers) {
  std::vector<bool> windowed;
  if (!config.Has("layer_types")) return windowed;
  ASSIGN_OR_RETURN(const std::vector<std::string> types, config.Strings("layer_types"));
  if (types.size() != layers) {
    return ModelError("{}: layer_types has {} types, but there are {} layers", config.place(),
                      types.size(), layers);
  }
  for (const std::string& type : types) {
    windowed.push_back(type == "sliding_attention");
    if (windowed.back() || type == "full_attention") continue;
    return ModelError(
        "{}: layer_types has {}, which is not supported; supported are \"full_attention\" and "
        "\"sliding_attention\"",
        config.place(), Quoted(type));
  }
  return windowed;
}

void SetWindow(size_t width, Attention& attention) {
  attention.window = attention.causal ? width - 1 : width;
}

Result<Classifier> ReadScoreClassifier(const JsonValue& config) {
  Classifier classifier = {.pooling = Pooling::kLastToken, .dense = {}, .output_bias = false};
  if (config.Has("pad_token_id")) {
    ASSIGN_OR_RETURN(const int64_t id, config.Integer("pad_token_id", 0, INT32_MAX));
    classifier.padding_id = static_cast<int32_t>(id);
  }
  return classifier;
}

constinit const Family kLlama = {
    .model_types = "llama",
    .read_encoder = ReadEncoder,
    .prefixes = "model",
    .tensors = kLlamaTensors,
    .classifier = kScoreClassifier,
    .language_model = "lm_head",
};

}  // namespace embedding
