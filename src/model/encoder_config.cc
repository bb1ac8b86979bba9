#include "model/encoder_config.h"

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <unordered_map>
#include <utility>
#include <vector>

#include "base/json_value.h"
#include "weights/model_error.h"

namespace embedding {
namespace {

// Limits that no real model comes near; beyond them a number is a mistake, and the products below
// could overflow.
constexpr int64_t kMaxWidth = 65536;
constexpr int64_t kMaxLayers = 1000;
constexpr int64_t kMaxPositions = int64_t{1} << 24;
constexpr int64_t kMaxVocabulary = INT32_MAX;

struct Family {
  std::string_view model_type;
  ModelFamily family;
  int64_t pad_token_id;  // where config.json has none
};

constexpr Family kFamilies[] = {{"bert", ModelFamily::kBert, 0},
                                {"roberta", ModelFamily::kRoberta, 1},
                                {"xlm-roberta", ModelFamily::kXlmRoberta, 1}};

Result<Family> ReadFamily(const JsonValue& config) {
  ASSIGN_OR_RETURN(const std::string model_type, config.String("model_type"));
  for (const Family& family : kFamilies) {
    if (family.model_type == model_type) return family;
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

// What the fields say about one another.
Status CheckConsistency(const JsonValue& config, const EncoderConfig& encoder) {
  if (encoder.hidden_size % encoder.num_attention_heads != 0) {
    return ModelError("{}: hidden_size {} is not a multiple of num_attention_heads {}",
                      config.place(), encoder.hidden_size, encoder.num_attention_heads);
  }
  if (encoder.position_offset() + kMinSequence > encoder.max_position_embeddings) {
    return ModelError("{}: max_position_embeddings {} has no room for a text after position {}",
                      config.place(), encoder.max_position_embeddings, encoder.position_offset());
  }
  return {};
}

}  // namespace

Result<EncoderConfig> ReadEncoderConfig(const std::string& path) {
  ASSIGN_OR_RETURN(const JsonValue config, JsonValue::ObjectFromFile(path));
  ASSIGN_OR_RETURN(const Family family, ReadFamily(config));
  RETURN_IF_ERROR(CheckComputation(config));

  EncoderConfig encoder;
  encoder.family = family.family;
  ASSIGN_OR_RETURN(encoder.activation, ReadActivation(config));
  ASSIGN_OR_RETURN(encoder.architectures,
                   config.Strings("architectures", std::vector<std::string>()));
  ASSIGN_OR_RETURN(encoder.tokenizer_class, config.String("tokenizer_class", ""));
  for (const std::string& architecture : encoder.architectures) {
    if (!architecture.ends_with("ForSequenceClassification")) continue;
    ASSIGN_OR_RETURN(encoder.labels, ReadLabels(config));
    break;
  }
  const auto read_size = [&](std::string_view name, int64_t max, size_t& out,
                             std::optional<int64_t> fallback = {}) -> Status {
    ASSIGN_OR_RETURN(const int64_t value, config.Integer(name, 1, max, fallback));
    out = static_cast<size_t>(value);
    return {};
  };
  RETURN_IF_ERROR(read_size("hidden_size", kMaxWidth, encoder.hidden_size));
  RETURN_IF_ERROR(read_size("num_hidden_layers", kMaxLayers, encoder.num_hidden_layers));
  RETURN_IF_ERROR(read_size("num_attention_heads", kMaxWidth, encoder.num_attention_heads));
  RETURN_IF_ERROR(read_size("intermediate_size", 16 * kMaxWidth, encoder.intermediate_size));
  RETURN_IF_ERROR(read_size("vocab_size", kMaxVocabulary, encoder.vocab_size));
  RETURN_IF_ERROR(
      read_size("max_position_embeddings", kMaxPositions, encoder.max_position_embeddings));

  // Old files lack these; the transformers library takes the same values then.
  RETURN_IF_ERROR(read_size("type_vocab_size", kMaxWidth, encoder.type_vocab_size, 2));
  ASSIGN_OR_RETURN(const double eps, config.Number("layer_norm_eps", 1e-12));
  if (!(eps > 0 && eps <= 1)) return config.Wrong("layer_norm_eps", "a number above 0, at most 1");
  encoder.layer_norm_eps = static_cast<float>(eps);
  ASSIGN_OR_RETURN(const int64_t pad_token_id,
                   config.Integer("pad_token_id", 0, static_cast<int64_t>(encoder.vocab_size) - 1,
                                  family.pad_token_id));
  encoder.pad_token_id = static_cast<int32_t>(pad_token_id);

  RETURN_IF_ERROR(CheckConsistency(config, encoder));
  return encoder;
}

}  // namespace embedding
