#include "model/config_json.h"

#include <cstdint>
#include <string>
#include <string_view>
#include <unordered_map>
#include <utility>
#include <vector>

#include "base/json_value.h"
#include "model/library_config.h"
#include "model/name_forms.h"
#include "weights/model_error.h"

namespace embedding {
namespace {

Result<const Family*> ReadFamily(const JsonValue& config) {
  ASSIGN_OR_RETURN(std::string model_type, config.String("model_type"));
  // As jina-embeddings-v3's repository calls itself.
  ASSIGN_OR_RETURN(const std::string positions, config.String("position_embedding_type", ""));
  if (model_type == "xlm-roberta" && positions == "rotary") model_type = "jina_embeddings_v3";
  for (const Family* family : Families()) {
    const auto is_it = [&](std::string_view form) { return form == model_type; };
    if (is_it(FindForm(family->model_types, is_it))) return family;
  }
  return ModelError("{}: model_type {} is not supported; supported are {}", config.place(),
                    Quoted(model_type), FamilyNames());
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

// The heads that the checkpoint has by its architectures.
Status ReadHeads(const JsonValue& file, ConfigJson& config) {
  const auto is = [&](std::string_view kind) {
    for (const std::string& architecture : config.architectures) {
      if (architecture.ends_with(kind)) return true;
    }
    return false;
  };
  const Family& family = *config.family;
  if (is("ForSequenceClassification")) {
    ASSIGN_OR_RETURN(config.labels, ReadLabels(file));
    if (family.classifier.read != nullptr) {
      ASSIGN_OR_RETURN(config.classifier, family.classifier.read(file));
      config.classifier->labels = config.labels.size();
    }
  }
  if (is("ForMaskedLM") && family.masked_language.read != nullptr) {
    ASSIGN_OR_RETURN(config.masked_language, family.masked_language.read(file));
  }
  if (is("ForTokenClassification") && !family.token_weights.empty()) {
    ASSIGN_OR_RETURN(const std::vector<std::string> labels, ReadLabels(file));
    if (labels.size() == 1) config.token_weights.emplace();
  }
  return {};
}

}  // namespace

Result<ConfigJson> ReadConfigJson(const std::string& path) {
  ASSIGN_OR_RETURN(const JsonValue file, JsonValue::ObjectFromFile(path));
  ConfigJson config;
  ASSIGN_OR_RETURN(config.model_type, file.String("model_type"));
  ASSIGN_OR_RETURN(config.family, ReadFamily(file));
  ASSIGN_OR_RETURN(config.architectures, file.Strings("architectures", std::vector<std::string>()));
  ASSIGN_OR_RETURN(config.tokenizer_class, file.String("tokenizer_class", ""));
  ASSIGN_OR_RETURN(config.encoder, config.family->read_encoder(file));
  RETURN_IF_ERROR(ReadHeads(file, config));
  if (config.family->token_projection.read != nullptr) {
    ASSIGN_OR_RETURN(config.token_projection, config.family->token_projection.read(file));
  }
  if (config.family->has_task_adapters) {
    ASSIGN_OR_RETURN(config.adapters, file.Strings("task_names"));
  }
  if (config.encoder.adapters) {
    ASSIGN_OR_RETURN(config.adapters, file.Strings("lora_adaptations"));
  }
  RETURN_IF_ERROR(ReadMatryoshkaDimensions(file, config.matryoshka_dimensions));
  return config;
}

}  // namespace embedding
