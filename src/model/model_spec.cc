#include "model/model_spec.h"

#include <algorithm>
#include <filesystem>
#include <optional>
#include <system_error>
#include <utility>

#include "base/json_value.h"
#include "model/config_json.h"
#include "model/files.h"
#include "model/module_list.h"
#include "model/sentence_modules.h"
#include "model/transformer_module.h"
#include "weights/model_error.h"
#include "weights/path.h"

namespace embedding {
namespace {

namespace fs = std::filesystem;

// What the Transformer module's own file says.
Status TakeTransformerModule(ModelSpec& spec, std::optional<size_t>& max_seq_length) {
  ASSIGN_OR_RETURN(const TransformerModule module,
                   ReadTransformerModule(spec.transformer_directory));
  spec.tokenizer.lowercase_first = module.lower_case;
  if (!module.max_seq_length) return {};
  max_seq_length = module.max_seq_length;
  const size_t positions = spec.encoder().max_tokens;
  if (*max_seq_length > positions) {
    spec.warnings.push_back(fmt::format(
        "{}: max_seq_length is {}, but config.json's max_position_embeddings {} has only {} "
        "positions for tokens: texts are cut to these",
        module.path, *max_seq_length, spec.encoder().positions.first + positions, positions));
  }
  return {};
}

// Without modules.json.
void TakeDefaultPooling(ModelSpec& spec) {
  const fs::path root(spec.directory);
  if (spec.is_classifier()) return;
  if (IsThere(root / kSparseFile) || IsThere(root / kColbertFile)) {
    spec.architecture.heads.pooled->pooling = {Pooling::kCls};
    return;
  }
  spec.warnings.push_back(fmt::format(
      "{}: there is no modules.json, so tokens are averaged, as sentence-transformers does; "
      "--pooling cls takes the first",
      spec.directory));
}

Status OverridePooling(const std::string& name, ModelSpec& spec) {
  if (spec.is_classifier()) {
    spec.warnings.push_back(
        fmt::format("{}: is a classifier, which --pooling does not change", spec.directory));
    return {};
  }
  Heads& heads = spec.architecture.heads;
  if (name == kSpladePooling) {
    if (!heads.splade) heads.splade = Splade{};
    return {};
  }
  ASSIGN_OR_RETURN(const Pooling pooling, PoolingOfName(name));
  PooledVector& pooled = *heads.pooled;
  if (pooled.pooling.size() > 1 && !pooled.dense.empty()) {
    return ModelError(
        "{}: a Dense module follows {} pooled vectors side by side: --pooling cannot "
        "change them",
        spec.directory, pooled.pooling.size());
  }
  pooled.pooling = {pooling};
  heads.splade.reset();
  return {};
}

// config_sentence_transformers.json: all of it is optional, and so is the file.
Status ReadLibraryConfig(ModelSpec& spec) {
  const fs::path path = fs::path(spec.directory) / "config_sentence_transformers.json";
  if (!IsThere(path)) return {};
  ASSIGN_OR_RETURN(const JsonValue config, JsonValue::ObjectFromFile(path.string()));
  ASSIGN_OR_RETURN(const std::string model_type, config.String("model_type", ""));
  if (model_type == "CrossEncoder" && !spec.is_classifier()) {
    return ModelError(
        "{}: model_type is CrossEncoder, but config.json's architectures has no "
        "*ForSequenceClassification; scores that come out of other modules are not supported",
        config.place());
  }
  if (const auto prompts = config.Find("prompts")) {
    if (!prompts->is_object()) return prompts->Wrong("an object of strings by their names");
    for (const auto& [name, prompt] : prompts->Fields()) {
      if (prompt.is_null()) continue;
      if (!prompt.is_string()) return prompts->Wrong("an object of strings by their names");
      ASSIGN_OR_RETURN(spec.prompts[std::string(name)], prompt.AsString());
    }
  }
  if (config.Has("default_prompt_name")) {
    ASSIGN_OR_RETURN(spec.default_prompt_name, config.String("default_prompt_name"));
    if (!spec.prompts.contains(*spec.default_prompt_name)) {
      return config.Wrong("default_prompt_name", "the name of one of the prompts");
    }
  }
  std::optional<Splade>& splade = spec.architecture.heads.splade;
  if (splade && config.Has("max_active_dims")) {
    ASSIGN_OR_RETURN(const int64_t most, config.Integer("max_active_dims", 1, INT32_MAX));
    splade->max_active_dims = static_cast<size_t>(most);
  }
  if (config.Has("truncate_dim")) {
    ASSIGN_OR_RETURN(const int64_t dimension, config.Integer("truncate_dim", 1, INT32_MAX));
    spec.truncate_dim = static_cast<size_t>(dimension);
  }
  return {};
}

// What SPLADE's logits come out of.
Status CompleteSplade(const ConfigJson& config, ModelSpec& spec) {
  std::optional<Splade>& splade = spec.architecture.heads.splade;
  if (!splade) return {};
  if (!config.masked_language) {
    if (spec.family->masked_language.read == nullptr) {
      return ModelError("{}: SPLADE is not supported of model_type {}", spec.directory,
                        spec.family->name());
    }
    return ModelError("{}: SPLADE needs config.json's architectures to have a *ForMaskedLM",
                      spec.directory);
  }
  const Splade& head = *config.masked_language;
  splade->activation = head.activation;
  splade->norm = head.norm;
  splade->transform_bias = head.transform_bias;
  splade->decoder_bias = head.decoder_bias;
  return {};
}

Status TakeClassifier(const ConfigJson& config, ModelSpec& spec) {
  if (!config.classifier) {
    return ModelError("{}: classifiers of model_type {} are not supported", spec.directory,
                      spec.family->name());
  }
  spec.architecture.heads = {};
  spec.architecture.heads.classifier = config.classifier;
  return {};
}

// The heads of tokens, beside what the modules say: in the checkpoint or in files of their own.
void FindTokenHeads(const ConfigJson& config, ModelSpec& spec) {
  const fs::path root(spec.directory);
  Heads& heads = spec.architecture.heads;
  if (!heads.splade && config.token_weights) {
    heads.token_weights = config.token_weights;
    spec.token_weights_in_checkpoint = true;
  } else if (!heads.splade && Exists(root / kSparseFile)) {
    heads.token_weights.emplace();
  }
  if (Exists(root / kColbertFile)) heads.token_vectors.emplace();
}

void TakeLimit(std::optional<size_t> max_seq_length, ModelSpec& spec) {
  // Of a text that nothing limits: what the models without positions were trained with.
  constexpr size_t kUsual = 512;
  const size_t positions = spec.encoder().max_tokens;
  if (!max_seq_length && positions == kUnlimitedTokens) {
    spec.warnings.push_back(fmt::format(
        "{}: neither the model nor its tokenizer says how long a text may be: texts are cut to {} "
        "tokens; sentence_bert_config.json's max_seq_length says another limit",
        spec.directory, kUsual));
    max_seq_length = kUsual;
  }
  spec.max_seq_length = std::min(max_seq_length.value_or(positions), positions);
}

}  // namespace

Result<ModelSpec> ReadModelSpec(const std::string& directory, const std::string& pooling) {
  const fs::path root(directory);
  std::error_code ignored;
  if (!fs::is_directory(root, ignored)) {
    return ModelError("{}: there is no such model directory", directory);
  }
  std::vector<ModuleEntry> modules;
  const fs::path list = root / "modules.json";
  const bool has_modules = IsThere(list);
  if (has_modules) {
    ASSIGN_OR_RETURN(modules, ReadModuleList(list.string()));
    // Which does nothing once a model is trained.
    std::erase_if(modules, [](const ModuleEntry& module) { return module.kind == "Dropout"; });
    // Before config.json is looked for, which others do not have.
    if (!modules.empty() && !modules[0].kind.ends_with("Transformer")) {
      return UnsupportedModule(modules[0]);
    }
  }
  ModelSpec spec;
  spec.directory = directory;
  spec.transformer_directory = directory;
  if (!modules.empty() && modules[0].kind.ends_with("Transformer") && !modules[0].path.empty()) {
    spec.transformer_directory = (root / modules[0].path).string();
  }
  const fs::path transformer(spec.transformer_directory);
  ASSIGN_OR_RETURN(const ConfigJson config, ReadConfigJson((transformer / "config.json").string()));
  ASSIGN_OR_RETURN(spec.tokenizer,
                   ReadTokenizerConfig(spec.transformer_directory, config.model_type,
                                       config.tokenizer_class, config.family->tokenizer_class));
  spec.family = config.family;
  spec.architectures = config.architectures;
  spec.architecture.encoder = config.encoder;
  spec.labels = config.labels;
  spec.architecture.heads.pooled.emplace();
  std::optional<size_t> max_seq_length = spec.tokenizer.model_max_length;
  if (has_modules) {
    RETURN_IF_ERROR(ReadSentenceModules(modules, spec));
    RETURN_IF_ERROR(TakeTransformerModule(spec, max_seq_length));
  } else if (pooling.empty()) {
    TakeDefaultPooling(spec);
  }
  if (!pooling.empty()) RETURN_IF_ERROR(OverridePooling(pooling, spec));
  RETURN_IF_ERROR(CompleteSplade(config, spec));
  RETURN_IF_ERROR(ReadLibraryConfig(spec));
  if (spec.is_classifier()) {
    RETURN_IF_ERROR(TakeClassifier(config, spec));
  } else {
    FindTokenHeads(config, spec);
  }
  TakeLimit(max_seq_length, spec);
  return spec;
}

}  // namespace embedding
