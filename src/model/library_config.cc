#include "model/library_config.h"

#include <cstdint>
#include <filesystem>
#include <string>
#include <string_view>
#include <utility>

#include "base/json_value.h"
#include "weights/model_error.h"
#include "weights/path.h"

namespace embedding {
namespace {

constexpr std::string_view kCrossEncoder = "CrossEncoder";

// Whether the modules are what the file says the model is.
Status CheckModelType(const JsonValue& config, const ModelSpec& spec) {
  ASSIGN_OR_RETURN(const std::string model_type, config.String("model_type", ""));
  if (model_type == kCrossEncoder && !spec.is_classifier()) {
    return ModelError(
        "{}: model_type is CrossEncoder, but neither has config.json's architectures a "
        "*ForSequenceClassification nor do the modules end in scores",
        config.place());
  }
  if (model_type != kCrossEncoder && spec.heads().scores) {
    return ModelError(
        "{}: the modules end in one whose module_output_name is \"scores\", but model_type is not "
        "CrossEncoder",
        config.place());
  }
  if (model_type == "MultiVectorEncoder") {
    return ModelError("{}: model_type {} is not supported", config.place(), Quoted(model_type));
  }
  return {};
}

Status ReadPrompts(const JsonValue& config, ModelSpec& spec) {
  if (const auto prompts = config.Find("prompts")) {
    if (!prompts->is_object()) return prompts->Wrong("an object of strings by their names");
    for (const auto& [name, prompt] : prompts->Fields()) {
      std::string& text = spec.prompts[std::string(name)];
      if (prompt.is_null()) continue;
      if (!prompt.is_string()) return prompts->Wrong("an object of strings by their names");
      ASSIGN_OR_RETURN(text, prompt.AsString());
    }
  }
  if (!config.Has("default_prompt_name")) return {};
  ASSIGN_OR_RETURN(spec.default_prompt_name, config.String("default_prompt_name"));
  // These two are there without being said.
  if (spec.default_prompt_name == "query" || spec.default_prompt_name == "document") {
    spec.prompts.try_emplace(*spec.default_prompt_name);
  }
  if (!spec.prompts.contains(*spec.default_prompt_name)) {
    return config.Wrong("default_prompt_name", "the name of one of the prompts");
  }
  return {};
}

// Another name is none of single vectors', which sentence-transformers passes over too.
Status ReadSimilarity(const JsonValue& config, ModelSpec& spec) {
  constexpr std::pair<std::string_view, Similarity> kSimilarities[] = {
      {"cosine", Similarity::kCosine},
      {"dot", Similarity::kDot},
      {"euclidean", Similarity::kEuclidean},
      {"manhattan", Similarity::kManhattan},
  };
  ASSIGN_OR_RETURN(const std::string name, config.String("similarity_fn_name", "cosine"));
  for (const auto& [known, similarity] : kSimilarities) {
    if (known == name) spec.similarity = similarity;
  }
  return {};
}

}  // namespace

Status ReadLibraryConfig(ModelSpec& spec) {
  const auto path = std::filesystem::path(spec.directory) / "config_sentence_transformers.json";
  ASSIGN_OR_RETURN(const JsonValue config,
                   IsThere(path) ? JsonValue::ObjectFromFile(path.string())
                                 : Result<JsonValue>(JsonValue::EmptyObject(path.string())));
  RETURN_IF_ERROR(CheckModelType(config, spec));
  RETURN_IF_ERROR(ReadPrompts(config, spec));
  RETURN_IF_ERROR(ReadSimilarity(config, spec));
  if (config.Has("max_active_dims")) {
    ASSIGN_OR_RETURN(const int64_t most, config.Integer("max_active_dims", 1, INT32_MAX));
    Heads& heads = spec.architecture.heads;
    if (heads.splade) heads.splade->max_active_dims = static_cast<size_t>(most);
    if (heads.token_weights) heads.token_weights->max_active_dims = static_cast<size_t>(most);
  }
  if (config.Has("truncate_dim")) {
    ASSIGN_OR_RETURN(const int64_t dimension, config.Integer("truncate_dim", 1, INT32_MAX));
    spec.truncate_dim = static_cast<size_t>(dimension);
  }
  return ReadMatryoshkaDimensions(config, spec.matryoshka_dimensions);
}

Status ReadMatryoshkaDimensions(const JsonValue& config, std::vector<size_t>& dimensions) {
  const auto list = config.Find("matryoshka_dimensions");
  if (!list) return {};
  ASSIGN_OR_RETURN(const std::vector<JsonValue> values, list->Elements());
  dimensions.clear();
  for (const JsonValue& value : values) {
    ASSIGN_OR_RETURN(const int64_t dimension, value.AsInteger(1, INT32_MAX));
    dimensions.push_back(static_cast<size_t>(dimension));
  }
  return {};
}

}  // namespace embedding
