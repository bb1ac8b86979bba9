#include "weights/model_spec.h"

#include <algorithm>
#include <filesystem>
#include <optional>

#include "weights/encoder_config.h"
#include "weights/json_file.h"
#include "weights/model_error.h"
#include "weights/path.h"
#include "weights/sentence_modules.h"

namespace embedding {
namespace {

namespace fs = std::filesystem;

// Two special tokens, and a token of the text.
constexpr int64_t kMinSequence = 3;

bool IsBertForMaskedLm(const EncoderConfig& encoder) {
  return encoder.architectures == std::vector<std::string>{"BertForMaskedLM"};
}

size_t AvailablePositions(const EncoderConfig& encoder) {
  return encoder.max_position_embeddings - encoder.position_offset();
}

// tokenizer_config.json, empty where the file is absent.
Result<JsonObject> ReadTokenizerConfig(const ModelSpec& spec) {
  const fs::path path = fs::path(spec.directory) / "tokenizer_config.json";
  if (!IsThere(path)) return JsonObject::FromJson(path.string(), nlohmann::json::object());
  return JsonObject::Read(path.string());
}

// The tokenizer's model_max_length, if it has one. Tokenizers without a limit say 1e30.
Result<std::optional<size_t>> TokenizerLimit(const JsonObject& config) {
  if (!config.Has("model_max_length") || config.IsNull("model_max_length")) {
    return std::optional<size_t>();
  }
  ASSIGN_OR_RETURN(const double limit, config.Number("model_max_length"));
  if (limit > INT32_MAX) return std::optional<size_t>();
  ASSIGN_OR_RETURN(const int64_t tokens,
                   config.Integer("model_max_length", kMinSequence, INT32_MAX));
  return std::optional(static_cast<size_t>(tokens));
}

// What the Transformer module's own file says: max_seq_length, if it is given, and that texts are
// to be lower-cased first, which is harmless where the tokenizer does so anyway.
Result<std::optional<size_t>> ReadTransformerModule(const ModelSpec& spec,
                                                    const JsonObject& tokenizer) {
  for (const char* name : {"sentence_bert_config.json", "sentence_roberta_config.json",
                           "sentence_xlm-roberta_config.json"}) {
    const fs::path path = fs::path(spec.directory) / name;
    if (!IsThere(path)) continue;
    ASSIGN_OR_RETURN(const JsonObject config, JsonObject::Read(path.string()));
    ASSIGN_OR_RETURN(const bool lower_case, config.Bool("do_lower_case", false));
    ASSIGN_OR_RETURN(const bool tokenizer_lower_case, tokenizer.Bool("do_lower_case", false));
    if (lower_case && !tokenizer_lower_case) {
      return ModelError(
          "{}: do_lower_case is true, but tokenizer_config.json does not say so; lower-casing "
          "before "
          "the tokenizer is not supported",
          path.string());
    }
    if (!config.Has("max_seq_length") || config.IsNull("max_seq_length")) break;
    ASSIGN_OR_RETURN(const int64_t tokens,
                     config.Integer("max_seq_length", kMinSequence, INT32_MAX));
    const size_t positions = AvailablePositions(spec.encoder);
    if (static_cast<size_t>(tokens) > positions) {
      return ModelError(
          "{}: max_seq_length is {}, but config.json's max_position_embeddings {} has only {} "
          "positions for tokens; set max_seq_length to at most {}",
          path.string(), tokens, spec.encoder.max_position_embeddings, positions, positions);
    }
    return std::optional(static_cast<size_t>(tokens));
  }
  return std::optional<size_t>();
}

// Prompts are optional, and so is the file.
Status ReadPrompts(ModelSpec& spec) {
  const fs::path path = fs::path(spec.directory) / "config_sentence_transformers.json";
  if (!IsThere(path)) return {};
  ASSIGN_OR_RETURN(const JsonObject config, JsonObject::Read(path.string()));
  if (config.Has("prompts") && !config.IsNull("prompts")) {
    const nlohmann::json& prompts = *config.Find("prompts");
    if (!prompts.is_object()) return config.Wrong("prompts", "an object of strings by their names");
    for (const auto& [name, prompt] : prompts.items()) {
      if (!prompt.is_string())
        return config.Wrong("prompts", "an object of strings by their names");
      spec.prompts.emplace(name, prompt.get<std::string>());
    }
  }
  if (config.Has("default_prompt_name") && !config.IsNull("default_prompt_name")) {
    ASSIGN_OR_RETURN(spec.default_prompt_name, config.String("default_prompt_name"));
    if (!spec.prompts.contains(*spec.default_prompt_name)) {
      return config.Wrong("default_prompt_name", "the name of one of the prompts");
    }
  }
  return {};
}

}  // namespace

size_t ModelSpec::dimension() const {
  return dense.empty() ? pooling.size() * encoder.hidden_size : dense.back().out_features;
}

Result<ModelSpec> ReadModelSpec(const std::string& directory) {
  const fs::path root(directory);
  std::error_code ignored;
  if (!fs::is_directory(root, ignored)) {
    return ModelError("{}: there is no such model directory", directory);
  }
  ModelSpec spec;
  spec.directory = directory;
  ASSIGN_OR_RETURN(spec.encoder, ReadEncoderConfig((root / "config.json").string()));

  ASSIGN_OR_RETURN(const JsonObject tokenizer, ReadTokenizerConfig(spec));
  ASSIGN_OR_RETURN(std::optional<size_t> max_seq_length, TokenizerLimit(tokenizer));
  if (IsThere(root / "modules.json")) {
    RETURN_IF_ERROR(ReadSentenceModules(spec));
    if (spec.is_splade && !IsBertForMaskedLm(spec.encoder)) {
      return ModelError("{}: SpladePooling needs config.json's architectures to be BertForMaskedLM",
                        (root / "modules.json").string());
    }
    ASSIGN_OR_RETURN(const std::optional<size_t> own_limit, ReadTransformerModule(spec, tokenizer));
    if (own_limit) max_seq_length = own_limit;
  } else {
    spec.pooling = {Pooling::kMean};
    spec.is_splade = IsBertForMaskedLm(spec.encoder);
  }
  RETURN_IF_ERROR(ReadPrompts(spec));
  const size_t positions = AvailablePositions(spec.encoder);
  spec.max_seq_length = std::min(max_seq_length.value_or(positions), positions);
  return spec;
}

}  // namespace embedding
