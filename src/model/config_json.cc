#include "model/config_json.h"

#include <cmath>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <unordered_map>
#include <utility>
#include <vector>

#include "base/json_value.h"
#include "model/tokenizer_config.h"
#include "weights/model_error.h"

namespace embedding {
namespace {

// Limits that no real model comes near; beyond them a number is a mistake, and the products below
// could overflow.
constexpr int64_t kMaxWidth = 65536;
constexpr int64_t kMaxLayers = 1000;
constexpr int64_t kMaxPositions = int64_t{1} << 24;
constexpr int64_t kMaxVocabulary = INT32_MAX;

Result<const Family*> ReadFamily(const JsonValue& config) {
  ASSIGN_OR_RETURN(const std::string model_type, config.String("model_type"));
  for (const Family& family : Families()) {
    if (family.model_type == model_type) return &family;
  }
  return ModelError(
      "{}: model_type {} is not supported; supported are bert, roberta and xlm-roberta",
      config.place(), Quoted(model_type));
}

// hidden_act, by transformers' names. The second kind is one function written in four ways.
Result<Activation> ReadActivation(const JsonValue& config) {
  constexpr std::pair<std::string_view, Activation> kActivations[] = {
      {"gelu", Activation::kGelu},
      {"gelu_python", Activation::kGelu},
      {"gelu_new", Activation::kGeluTanh},
      {"gelu_fast", Activation::kGeluTanh},
      {"gelu_accurate", Activation::kGeluTanh},
      {"gelu_pytorch_tanh", Activation::kGeluTanh},
      {"gelu_python_tanh", Activation::kGeluTanh},
  };
  ASSIGN_OR_RETURN(const std::string name, config.String("hidden_act", "gelu"));
  for (const auto& [known, activation] : kActivations) {
    if (known == name) return activation;
  }
  return ModelError(
      "{}: hidden_act {} is not supported; supported are \"gelu\" and its tanh form, \"gelu_new\" "
      "or "
      "\"gelu_pytorch_tanh\"",
      config.place(), Quoted(name));
}

// Refuses what would make the model compute something else than a plain encoder does.
Status CheckComputation(const JsonValue& config) {
  ASSIGN_OR_RETURN(const std::string positions,
                   config.String("position_embedding_type", "absolute"));
  if (positions != "absolute") {
    return ModelError("{}: position_embedding_type {} is not supported; supported is \"absolute\"",
                      config.place(), Quoted(positions));
  }
  for (const std::string_view flag : {"is_decoder", "add_cross_attention"}) {
    ASSIGN_OR_RETURN(const bool set, config.Bool(flag, false));
    if (set) {
      return ModelError("{}: {} is true, but only encoders are supported", config.place(), flag);
    }
  }
  return {};
}

// The names of a classifier's logits: id2label, or as many as num_labels says.
Result<std::vector<std::string>> ReadLabels(const JsonValue& config) {
  constexpr int64_t kMaxLabels = 100000;
  std::vector<std::string> labels;
  const auto names = config.Find("id2label");
  const auto fields = names ? names->Fields() : decltype(names->Fields())();
  if (fields.size() > kMaxLabels) return names->Fail("has too many labels");
  if (!fields.empty()) {
    std::unordered_map<std::string_view, const JsonValue*> by_number;
    for (const auto& [number, name] : fields) by_number[number] = &name;
    for (size_t i = 0; i < fields.size(); ++i) {
      const auto found = by_number.find(std::to_string(i));
      if (found == by_number.end()) {
        return names->Fail(
            "must be an object of names by the numbers from 0 on, but has none for " +
            std::to_string(i));
      }
      // A number is a name too.
      const Result<std::string_view> text = found->second->AsString();
      labels.push_back(text.ok() ? std::string(*text) : found->second->Shown());
    }
    return labels;
  }
  ASSIGN_OR_RETURN(const int64_t count, config.Integer("num_labels", 1, kMaxLabels, 2));
  for (int64_t i = 0; i < count; ++i) labels.push_back("LABEL_" + std::to_string(i));
  return labels;
}

// A number of at least 1, as a size.
Result<size_t> ReadSize(const JsonValue& config, std::string_view name, int64_t max,
                        std::optional<int64_t> fallback = {}) {
  ASSIGN_OR_RETURN(const int64_t value, config.Integer(name, 1, max, fallback));
  return static_cast<size_t>(value);
}

Result<Layer> ReadLayer(const JsonValue& config, size_t hidden_size, Norm norm) {
  Layer layer;
  layer.attention_norms.output = norm;
  layer.feed_forward_norms.output = norm;
  ASSIGN_OR_RETURN(layer.attention.heads, ReadSize(config, "num_attention_heads", kMaxWidth));
  ASSIGN_OR_RETURN(layer.feed_forward.width, ReadSize(config, "intermediate_size", 16 * kMaxWidth));
  ASSIGN_OR_RETURN(layer.feed_forward.activation, ReadActivation(config));
  if (hidden_size % layer.attention.heads != 0) {
    return ModelError("{}: hidden_size {} is not a multiple of num_attention_heads {}",
                      config.place(), hidden_size, layer.attention.heads);
  }
  layer.attention.kv_heads = layer.attention.heads;
  layer.attention.head_dim = hidden_size / layer.attention.heads;
  layer.attention.scale = 1 / std::sqrt(static_cast<float>(layer.attention.head_dim));
  return layer;
}

Result<Positions> ReadPositions(const JsonValue& config, const Family& family, size_t vocab_size) {
  Positions positions;
  ASSIGN_OR_RETURN(positions.count, ReadSize(config, "max_position_embeddings", kMaxPositions));
  ASSIGN_OR_RETURN(
      const int64_t padding,
      config.Integer("pad_token_id", 0, static_cast<int64_t>(vocab_size) - 1, family.pad_token_id));
  if (family.positions_follow_padding) {
    positions.first = static_cast<size_t>(padding) + 1;
    positions.uncounted_id = static_cast<int32_t>(padding);
  }
  if (positions.first + kMinSequence > positions.count) {
    return ModelError("{}: max_position_embeddings {} has no room for a text after position {}",
                      config.place(), positions.count, positions.first);
  }
  return positions;
}

Result<Encoder> ReadEncoder(const JsonValue& config, const Family& family) {
  Encoder encoder;
  ASSIGN_OR_RETURN(encoder.hidden_size, ReadSize(config, "hidden_size", kMaxWidth));
  ASSIGN_OR_RETURN(encoder.vocab_size, ReadSize(config, "vocab_size", kMaxVocabulary));
  ASSIGN_OR_RETURN(const size_t layers, ReadSize(config, "num_hidden_layers", kMaxLayers));
  // Old files lack these two; the transformers library takes the same values then.
  ASSIGN_OR_RETURN(encoder.token_types, ReadSize(config, "type_vocab_size", kMaxWidth, 2));
  ASSIGN_OR_RETURN(const double eps, config.Number("layer_norm_eps", 1e-12));
  if (!(eps > 0 && eps <= 1)) return config.Wrong("layer_norm_eps", "a number above 0, at most 1");
  encoder.embedding_size = encoder.hidden_size;
  encoder.embeddings_norm = Norm{.eps = static_cast<float>(eps)};
  ASSIGN_OR_RETURN(encoder.positions, ReadPositions(config, family, encoder.vocab_size));
  encoder.max_tokens = encoder.positions.count - encoder.positions.first;
  ASSIGN_OR_RETURN(const Layer layer,
                   ReadLayer(config, encoder.hidden_size, *encoder.embeddings_norm));
  encoder.layers.assign(layers, layer);
  for (size_t i = 0; i < layers; ++i) encoder.layers[i].weights = i;
  return encoder;
}

}  // namespace

Result<ConfigJson> ReadConfigJson(const std::string& path) {
  ASSIGN_OR_RETURN(const JsonValue file, JsonValue::ObjectFromFile(path));
  ConfigJson config;
  ASSIGN_OR_RETURN(config.family, ReadFamily(file));
  RETURN_IF_ERROR(CheckComputation(file));
  ASSIGN_OR_RETURN(config.architectures, file.Strings("architectures", std::vector<std::string>()));
  ASSIGN_OR_RETURN(config.tokenizer_class, file.String("tokenizer_class", ""));
  for (const std::string& architecture : config.architectures) {
    if (!architecture.ends_with("ForSequenceClassification")) continue;
    ASSIGN_OR_RETURN(config.labels, ReadLabels(file));
    break;
  }
  ASSIGN_OR_RETURN(config.encoder, ReadEncoder(file, *config.family));
  return config;
}

}  // namespace embedding
