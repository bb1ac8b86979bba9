#include "model/families/config_fields.h"

#include <cfloat>
#include <cmath>
#include <utility>

#include "model/name_forms.h"
#include "model/tokenizer_config.h"
#include "weights/model_error.h"

namespace embedding {

std::string_view FieldName(const JsonValue& config, std::string_view name) {
  return FindForm(name, [&](std::string_view form) { return config.Has(form); });
}

Result<size_t> ReadSize(const JsonValue& config, std::string_view name, int64_t max,
                        std::optional<int64_t> fallback) {
  ASSIGN_OR_RETURN(const int64_t value, config.Integer(FieldName(config, name), 1, max, fallback));
  return static_cast<size_t>(value);
}

Result<size_t> ReadCount(const JsonValue& config, std::string_view name, int64_t max,
                         int64_t fallback) {
  ASSIGN_OR_RETURN(const int64_t value, config.Integer(FieldName(config, name), 0, max, fallback));
  return static_cast<size_t>(value);
}

Result<size_t> ReadTokens(const JsonValue& config, std::string_view name, int64_t fallback) {
  ASSIGN_OR_RETURN(const int64_t value,
                   config.Integer(FieldName(config, name), kMinSequence, kMaxPositions, fallback));
  return static_cast<size_t>(value);
}

Result<float> ReadEpsilon(const JsonValue& config, std::string_view name, double fallback) {
  const std::string_view field = FieldName(config, name);
  ASSIGN_OR_RETURN(const double eps, config.Number(field, fallback));
  if (!(eps >= FLT_MIN && eps <= 1)) {  // below, it would be 0 or flushed to it
    return config.Wrong(field, "a number of float32 above 0, at most 1");
  }
  return static_cast<float>(eps);
}

Result<float> ReadAdapterScale(const JsonValue& config, size_t rank,
                               std::optional<double> fallback) {
  ASSIGN_OR_RETURN(const double alpha, config.Number("lora_alpha", fallback));
  if (!(std::abs(alpha) <= FLT_MAX)) return config.Wrong("lora_alpha", "a number of float32");
  return static_cast<float>(alpha / static_cast<double>(rank));
}

Result<Activation> ActivationOfName(const JsonValue& config, std::string_view field,
                                    std::string_view name) {
  // Those of tanh are one function written in several ways.
  constexpr std::pair<std::string_view, Activation> kActivations[] = {
      {"gelu", Activation::kGelu},
      {"gelu_python", Activation::kGelu},
      {"gelu_new", Activation::kGeluTanh},
      {"gelu_fast", Activation::kGeluTanh},
      {"gelu_accurate", Activation::kGeluTanh},
      {"gelu_pytorch_tanh", Activation::kGeluTanh},
      {"gelu_python_tanh", Activation::kGeluTanh},
      {"relu", Activation::kRelu},
      {"silu", Activation::kSilu},
      {"swish", Activation::kSilu},
      {"tanh", Activation::kTanh},
      {"sigmoid", Activation::kSigmoid},
  };
  for (const auto& [known, activation] : kActivations) {
    if (known == name) return activation;
  }
  return ModelError(
      "{}: {} {} is not supported; supported are \"gelu\" and its tanh form, \"gelu_new\" or "
      "\"gelu_pytorch_tanh\", \"relu\", \"silu\", \"tanh\" and \"sigmoid\"",
      config.place(), field, Quoted(name));
}

Result<Activation> ReadActivation(const JsonValue& config, std::string_view name,
                                  const std::string& fallback) {
  const std::string_view field = FieldName(config, name);
  ASSIGN_OR_RETURN(const std::string value, config.String(field, fallback));
  return ActivationOfName(config, field, value);
}

Result<int32_t> ReadPaddingId(const JsonValue& config, size_t vocab_size, int64_t fallback) {
  ASSIGN_OR_RETURN(
      const int64_t id,
      config.Integer("pad_token_id", 0, static_cast<int64_t>(vocab_size) - 1, fallback));
  return static_cast<int32_t>(id);
}

Status ReadPositionCount(const JsonValue& config, std::string_view name, Encoder& encoder) {
  Positions& positions = encoder.positions;
  ASSIGN_OR_RETURN(positions.count, ReadSize(config, name, kMaxPositions));
  if (positions.first + kMinSequence > positions.count) {
    return ModelError("{}: {} {} has no room for a text after position {}", config.place(),
                      FieldName(config, name), positions.count, positions.first);
  }
  encoder.max_tokens = positions.count - positions.first;
  return {};
}

Status ExpectFlag(const JsonValue& config, std::string_view name, bool expected) {
  ASSIGN_OR_RETURN(const bool value, config.Bool(name, expected));
  if (value == expected) return {};
  return ModelError("{}: {} {} is not supported; supported is {}", config.place(), name, value,
                    expected);
}

Status ExpectName(const JsonValue& config, std::string_view name, std::string_view expected) {
  ASSIGN_OR_RETURN(const std::string value, config.String(name, std::string(expected)));
  if (value == expected) return {};
  return ModelError("{}: {} {} is not supported; supported is {}", config.place(), name,
                    Quoted(value), Quoted(expected));
}

Status ExpectEncoder(const JsonValue& config) {
  for (const std::string_view flag : {"is_decoder", "add_cross_attention", "is_causal"}) {
    ASSIGN_OR_RETURN(const bool set, config.Bool(flag, false));
    if (set) {
      return ModelError("{}: {} is true, but only encoders are supported", config.place(), flag);
    }
  }
  return {};
}

Result<Encoder> ReadSizes(const JsonValue& config, const SizeNames& names) {
  // Whether a field is read, be it for its default.
  const auto has = [&](std::string_view name, const std::optional<int64_t>& fallback) {
    if (name.empty()) return false;
    const std::string_view form = FieldName(config, name);
    return config.Has(form) || (fallback && !config.Field(form).ok());
  };
  Encoder encoder;
  ASSIGN_OR_RETURN(encoder.hidden_size, ReadSize(config, names.hidden_size, kMaxWidth));
  ASSIGN_OR_RETURN(encoder.vocab_size, ReadSize(config, names.vocab_size, INT32_MAX));
  ASSIGN_OR_RETURN(const size_t layers, ReadSize(config, names.layers, kMaxLayers));
  encoder.embedding_size = encoder.hidden_size;
  Layer layer;
  Attention& attention = layer.attention;
  ASSIGN_OR_RETURN(attention.heads, ReadSize(config, names.heads, kMaxWidth));
  ASSIGN_OR_RETURN(layer.feed_forward.width, ReadSize(config, names.width, 16 * kMaxWidth));
  attention.kv_heads = attention.heads;
  if (has(names.kv_heads, names.default_kv_heads)) {
    ASSIGN_OR_RETURN(attention.kv_heads,
                     ReadSize(config, names.kv_heads, kMaxWidth, names.default_kv_heads));
    if (attention.heads % attention.kv_heads != 0) {
      return ModelError("{}: {} {} is not a multiple of {} {}", config.place(),
                        FieldName(config, names.heads), attention.heads,
                        FieldName(config, names.kv_heads), attention.kv_heads);
    }
  }
  if (has(names.head_dim, names.default_head_dim)) {
    ASSIGN_OR_RETURN(attention.head_dim,
                     ReadSize(config, names.head_dim, kMaxWidth, names.default_head_dim));
    if (attention.width() > 16 * kMaxWidth) {
      return ModelError("{}: {} {} is too large for {} heads", config.place(),
                        FieldName(config, names.head_dim), attention.head_dim, attention.heads);
    }
  } else if (encoder.hidden_size % attention.heads != 0) {
    return ModelError("{}: {} {} is not a multiple of {} {}", config.place(),
                      FieldName(config, names.hidden_size), encoder.hidden_size,
                      FieldName(config, names.heads), attention.heads);
  } else {
    attention.head_dim = encoder.hidden_size / attention.heads;
  }
  attention.scale = 1 / std::sqrt(static_cast<float>(attention.head_dim));
  encoder.layers.assign(layers, layer);
  for (size_t i = 0; i < layers; ++i) encoder.layers[i].weights = i;
  return encoder;
}

}  // namespace embedding
