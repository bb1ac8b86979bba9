// Supported are the lists of modules whose meaning does not depend on code that comes with the
// model:
//   Transformer, Module*, Pooling, Module*       text embeddings, or, where the last gives scores,
//   a
//                                                cross-encoder; a Module is a Dense, LayerNorm or
//                                                Normalize, of tokens before the Pooling
//   StaticEmbedding, Module*                     text embeddings
//   SparseStaticEmbedding                        sparse embeddings
//   Transformer                                  a cross-encoder or classifier
//   Transformer, LogitScore                      a cross-encoder by a language model's logits
//   Transformer | MLMTransformer, SpladePooling  sparse embeddings

#include "model/sentence_modules.h"

#include <fmt/format.h>

#include <algorithm>
#include <filesystem>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <variant>

#include "base/json_value.h"
#include "model/vector_modules.h"
#include "weights/model_error.h"
#include "weights/path.h"

namespace embedding {
namespace {

namespace fs = std::filesystem;

constexpr int64_t kMaxFeatures = 65536;

struct PoolingMode {
  std::string_view name;
  std::string_view flag;  // what it was called when each mode was a field of its own
  Pooling pooling;
};

// In the order in which flags are concatenated; a list of names has an order of its own.
constexpr PoolingMode kPoolingModes[] = {
    {"cls", "pooling_mode_cls_token", Pooling::kCls},
    {"max", "pooling_mode_max_tokens", Pooling::kMax},
    {"mean", "pooling_mode_mean_tokens", Pooling::kMean},
    {"mean_sqrt_len_tokens", "pooling_mode_mean_sqrt_len_tokens", Pooling::kMeanSqrtLenTokens},
    {"weightedmean", "pooling_mode_weightedmean_tokens", Pooling::kWeightedMean},
    {"lasttoken", "pooling_mode_lasttoken", Pooling::kLastToken},
};

Result<std::vector<Pooling>> ReadPoolingNames(const JsonValue& config) {
  ASSIGN_OR_RETURN(const std::vector<std::string> names, config.Strings("pooling_mode"));
  std::vector<Pooling> pooling;
  for (const std::string& name : names) {
    const auto* const mode =
        std::find_if(std::begin(kPoolingModes), std::end(kPoolingModes),
                     [&](const PoolingMode& known) { return known.name == name; });
    if (mode == std::end(kPoolingModes)) {
      return ModelError("{}: pooling_mode {} is not supported", config.place(), Quoted(name));
    }
    if (std::find(pooling.begin(), pooling.end(), mode->pooling) != pooling.end()) {
      return ModelError("{}: pooling_mode {} is there twice", config.place(), Quoted(name));
    }
    pooling.push_back(mode->pooling);
  }
  if (pooling.empty()) return config.Wrong("pooling_mode", "the name of a mode, or several");
  return pooling;
}

Result<std::vector<Pooling>> ReadPoolingFlags(const JsonValue& config) {
  std::vector<Pooling> pooling;
  for (const PoolingMode& mode : kPoolingModes) {
    ASSIGN_OR_RETURN(const bool on, config.Bool(mode.flag, false));
    if (on) pooling.push_back(mode.pooling);
  }
  if (pooling.empty()) pooling.push_back(Pooling::kMean);
  return pooling;
}

// Of tokens' vectors of `size` numbers.
Status ReadPooling(const std::string& path, size_t size, ModelSpec& spec) {
  ASSIGN_OR_RETURN(const JsonValue config, JsonValue::ObjectFromFile(path));
  const std::string_view width_field =
      config.Has("embedding_dimension") ? "embedding_dimension" : "word_embedding_dimension";
  ASSIGN_OR_RETURN(const int64_t width, config.Integer(width_field, 1, kMaxFeatures));
  if (static_cast<size_t>(width) != size) {
    const bool follows_modules = !spec.heads().pooled->token_modules.empty();
    return ModelError("{}: {} is {}, but {} {}", path, width_field, width,
                      follows_modules ? "the module before gives" : "config.json's hidden_size is",
                      size);
  }
  PooledVector& pooled = *spec.architecture.heads.pooled;
  ASSIGN_OR_RETURN(pooled.pooling, config.Has("pooling_mode") ? ReadPoolingNames(config)
                                                              : ReadPoolingFlags(config));
  ASSIGN_OR_RETURN(pooled.pools_prompt, config.Bool("include_prompt", true));
  return {};
}

Status ReadSpladePooling(const std::string& path, ModelSpec& spec) {
  ASSIGN_OR_RETURN(const JsonValue config, JsonValue::ObjectFromFile(path));
  // The field's value is the second of two, or else the first.
  const auto is_second = [&](std::string_view field, const char* first,
                             const char* second) -> Result<bool> {
    ASSIGN_OR_RETURN(const std::string value, config.String(field, first));
    if (value == first || value == second) return value == second;
    return ModelError("{}: {} {} is not supported; supported are \"{}\" and \"{}\"", path, field,
                      Quoted(value), first, second);
  };
  Splade splade;
  ASSIGN_OR_RETURN(splade.sums, is_second("pooling_strategy", "max", "sum"));
  ASSIGN_OR_RETURN(splade.log_twice, is_second("activation_function", "relu", "log1p_relu"));
  spec.architecture.heads.splade = splade;
  return {};
}

Status ReadLogitScore(const std::string& path, ModelSpec& spec) {
  ASSIGN_OR_RETURN(const JsonValue config, JsonValue::ObjectFromFile(path));
  const auto last = static_cast<int64_t>(spec.encoder().vocab_size) - 1;
  ModelSpec::LogitScore score;
  ASSIGN_OR_RETURN(const int64_t true_token, config.Integer("true_token_id", 0, last));
  score.true_token = static_cast<size_t>(true_token);
  if (config.Has("false_token_id")) {
    ASSIGN_OR_RETURN(const int64_t false_token, config.Integer("false_token_id", 0, last));
    score.false_token = static_cast<size_t>(false_token);
  }
  ASSIGN_OR_RETURN(const std::string input, config.String("module_input_name", "causal_logits"));
  if (input != "causal_logits") return config.Wrong("module_input_name", "\"causal_logits\"");
  if (spec.family->language_model.empty()) {
    return ModelError("{}: LogitScore is not supported of model_type {}", path,
                      spec.family->name());
  }
  spec.logit_score = score;
  spec.labels = {"LABEL_0"};
  return {};
}

std::string DirectoryOf(const ModuleEntry& module, const ModelSpec& spec) {
  return (fs::path(spec.directory) / module.path).string();
}

// The modules before the pooling, from the second of all on. Which the pooling is.
Result<size_t> ReadTokenModules(const std::vector<ModuleEntry>& modules, ModelSpec& spec) {
  PooledVector& vector = *spec.architecture.heads.pooled;
  for (size_t i = 1; i < modules.size(); ++i) {
    const ModuleEntry& entry = modules[i];
    if (entry.kind == "Pooling") return i;
    if (!IsVectorModule(entry.kind)) return UnsupportedModule(entry);
    const size_t size = DimensionAfter(vector.token_modules, spec.encoder().hidden_size);
    ASSIGN_OR_RETURN(NamedModule module,
                     ReadVectorModule(entry.kind, DirectoryOf(entry, spec), size));
    if (!module.of_tokens) {
      return ModelError("{}: {} is of texts' vectors, and must follow the Pooling", entry.where,
                        entry.kind);
    }
    vector.token_modules.push_back(std::move(module.module));
  }
  return ModelError("{}: there is no Pooling after it", modules.back().where);
}

// The modules from `first` on, which follow the pooling.
Status ReadVectorModules(const std::vector<ModuleEntry>& modules, size_t first, ModelSpec& spec) {
  Heads& heads = spec.architecture.heads;
  bool gives_scores = false;
  for (size_t i = first; i < modules.size(); ++i) {
    const ModuleEntry& entry = modules[i];
    if (!IsVectorModule(entry.kind)) return UnsupportedModule(entry);
    if (gives_scores) {
      return ModelError("{}: {} follows a module that gives scores, which must be the last",
                        entry.where, entry.kind);
    }
    ASSIGN_OR_RETURN(NamedModule module,
                     ReadVectorModule(entry.kind, DirectoryOf(entry, spec), spec.dimension()));
    if (module.of_tokens) {
      return ModelError("{}: {} is of tokens' vectors, and must come before the Pooling",
                        entry.where, entry.kind);
    }
    gives_scores = module.gives_scores;
    const bool is_last = i + 1 == modules.size();
    if (is_last && !gives_scores && std::holds_alternative<NormalizeModule>(module.module)) {
      spec.normalize = true;
    } else {
      heads.pooled->modules.push_back(std::move(module.module));
    }
  }
  if (!gives_scores) return {};
  for (size_t i = 0; i < spec.dimension(); ++i) spec.labels.push_back(fmt::format("LABEL_{}", i));
  heads.scores = std::exchange(heads.pooled, std::nullopt);
  return {};
}

}  // namespace

std::string PoolingName(const Heads& heads) {
  // By which clients of text-embeddings-inference know a model of sparse vectors.
  if (heads.splade || (heads.token_weights && !heads.pooled)) return kSpladePooling;
  std::string name;
  if (!heads.pooled) return name;
  for (const Pooling each : heads.pooled->pooling) {
    for (const PoolingMode& mode : kPoolingModes) {
      if (mode.pooling != each) continue;
      name += name.empty() ? "" : "+";
      name += mode.name;
    }
  }
  return name;
}

Result<Pooling> PoolingOfName(std::string_view name) {
  for (const PoolingMode& mode : kPoolingModes) {
    if (mode.name == name) return mode.pooling;
  }
  return ModelError("there is no pooling {}", Quoted(name));
}

bool IsInputModule(std::string_view kind) {
  return kind == "Transformer" || kind == "MLMTransformer" || kind == "StaticEmbedding" ||
         kind == "SparseStaticEmbedding";
}

Error UnsupportedModule(const ModuleEntry& module) {
  constexpr std::pair<std::string_view, std::string_view> kMissing[] = {
      {"BoW", "bags of words are not made"},
      {"CLIPModel", "there are no pictures"},
      {"CNN", "convolutions over tokens are not computed"},
      {"LSTM", "recurrent networks are not computed"},
      {"MultiVectorMask", "late interaction is that of bge-m3 alone"},
      {"SparseAutoEncoder", "dense vectors are not made sparse"},
      {"WeightedLayerPooling", "hidden states are the last layer's alone"},
      {"WordEmbeddings", "its tokenizer is not read"},
      {"WordWeights", "tokens of a text are not weighted"},
  };
  std::string why;
  for (const auto& [kind, missing] : kMissing) {
    if (kind == module.kind) why = fmt::format(" ({})", missing);
  }
  return ModelError(
      "{}: {} is not supported here{}; supported are the sequences Transformer, Pooling, with any "
      "number of Dense, LayerNorm and Normalize before and after it; StaticEmbedding and the same "
      "after it; SparseStaticEmbedding alone; Transformer alone; Transformer, LogitScore; and "
      "Transformer or MLMTransformer, SpladePooling",
      module.where, Quoted(module.kind), why);
}

Status ReadSentenceModules(const std::vector<ModuleEntry>& modules, ModelSpec& spec) {
  const std::string list_path = (fs::path(spec.directory) / "modules.json").string();
  const auto kind_of = [&](size_t i) {
    return i < modules.size() ? std::string_view(modules[i].kind) : std::string_view();
  };
  const auto config_of = [&](size_t i) {
    return (fs::path(DirectoryOf(modules[i], spec)) / "config.json").string();
  };
  if (modules.empty()) {
    return ModelError("{}: has no modules, but a Transformer is needed", list_path);
  }
  if (kind_of(0) == "StaticEmbedding") return ReadVectorModules(modules, 1, spec);
  if (kind_of(0) == "SparseStaticEmbedding") {
    return modules.size() > 1 ? UnsupportedModule(modules[1]) : Status();
  }
  if (kind_of(1) == "SpladePooling") {
    if (kind_of(0) != "Transformer" && kind_of(0) != "MLMTransformer") {
      return UnsupportedModule(modules[0]);
    }
    if (modules.size() > 2) return UnsupportedModule(modules[2]);
    spec.labels.clear();
    return ReadSpladePooling(config_of(1), spec);
  }
  if (kind_of(0) != "Transformer") return UnsupportedModule(modules[0]);
  if (kind_of(1) == "LogitScore") {
    if (modules.size() > 2) return UnsupportedModule(modules[2]);
    return ReadLogitScore(config_of(1), spec);
  }
  if (modules.size() == 1) {
    if (spec.is_classifier()) return {};
    return ModelError(
        "{}: has a Transformer alone, which is a cross-encoder or a classifier, but config.json's "
        "architectures has no *ForSequenceClassification; for text embeddings a Pooling is needed",
        list_path);
  }
  // The list of modules says what the model is for, whatever head its checkpoint has besides.
  spec.labels.clear();
  ASSIGN_OR_RETURN(const size_t pooling, ReadTokenModules(modules, spec));
  const size_t size =
      DimensionAfter(spec.heads().pooled->token_modules, spec.encoder().hidden_size);
  RETURN_IF_ERROR(ReadPooling(config_of(pooling), size, spec));
  return ReadVectorModules(modules, pooling + 1, spec);
}

}  // namespace embedding
