// Supported are the lists of modules whose meaning does not depend on code that comes with the
// model:
//   Transformer, Pooling, Dense*, Normalize?     text embeddings
//   Transformer                                  a cross-encoder or classifier
//   Transformer | MLMTransformer, SpladePooling  sparse embeddings

#include "model/sentence_modules.h"

#include <algorithm>
#include <filesystem>
#include <optional>
#include <string>
#include <string_view>
#include <utility>

#include "base/json_value.h"
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

Status ReadPooling(const std::string& path, ModelSpec& spec) {
  ASSIGN_OR_RETURN(const JsonValue config, JsonValue::ObjectFromFile(path));
  const std::string_view width_field =
      config.Has("embedding_dimension") ? "embedding_dimension" : "word_embedding_dimension";
  ASSIGN_OR_RETURN(const int64_t width, config.Integer(width_field, 1, kMaxFeatures));
  if (static_cast<size_t>(width) != spec.encoder().hidden_size) {
    return ModelError("{}: {} is {}, but config.json's hidden_size is {}", path, width_field, width,
                      spec.encoder().hidden_size);
  }
  ASSIGN_OR_RETURN(spec.architecture.heads.pooled->pooling, config.Has("pooling_mode")
                                                                ? ReadPoolingNames(config)
                                                                : ReadPoolingFlags(config));
  ASSIGN_OR_RETURN(spec.pools_prompt, config.Bool("include_prompt", true));
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

Result<Activation> ReadActivation(const JsonValue& config) {
  constexpr std::pair<std::string_view, Activation> kActivations[] = {
      {"Identity", Activation::kIdentity}, {"Tanh", Activation::kTanh},
      {"ReLU", Activation::kRelu},         {"GELU", Activation::kGelu},
      {"Sigmoid", Activation::kSigmoid},
  };
  // "torch.nn.modules.activation.Tanh", "torch.nn.modules.linear.Identity"
  ASSIGN_OR_RETURN(const std::string path, config.String("activation_function", "torch.nn.Tanh"));
  const std::string_view name = std::string_view(path).substr(path.rfind('.') + 1);
  for (const auto& [known, activation] : kActivations) {
    if (known == name && path.starts_with("torch.nn.")) return activation;
  }
  return ModelError(
      "{}: activation_function {} is not supported; supported are torch.nn's Identity, Tanh, ReLU, "
      "GELU and Sigmoid",
      config.place(), Quoted(path));
}

Status ReadDense(const std::string& directory, ModelSpec& spec) {
  ASSIGN_OR_RETURN(const JsonValue config,
                   JsonValue::ObjectFromFile((fs::path(directory) / "config.json").string()));
  ASSIGN_OR_RETURN(const int64_t in_features, config.Integer("in_features", 1, kMaxFeatures));
  ASSIGN_OR_RETURN(const int64_t out_features, config.Integer("out_features", 1, kMaxFeatures));
  if (static_cast<size_t>(in_features) != spec.dimension()) {
    return ModelError("{}: in_features is {}, but the module before gives {}", config.place(),
                      in_features, spec.dimension());
  }
  ASSIGN_OR_RETURN(const bool use_residual, config.Bool("use_residual", false));
  if (use_residual) return ModelError("{}: use_residual is not supported", config.place());
  for (const std::string_view end : {"module_input_name", "module_output_name"}) {
    ASSIGN_OR_RETURN(const std::string name, config.String(end, "sentence_embedding"));
    if (name != "sentence_embedding") {
      return ModelError("{}: {} {} is not supported", config.place(), end, Quoted(name));
    }
  }
  DenseModule dense{.directory = directory,
                    .in_features = static_cast<size_t>(in_features),
                    .out_features = static_cast<size_t>(out_features)};
  ASSIGN_OR_RETURN(dense.bias, config.Bool("bias", true));
  ASSIGN_OR_RETURN(dense.activation, ReadActivation(config));
  spec.architecture.heads.pooled->dense.push_back(std::move(dense));
  return {};
}

}  // namespace

std::string PoolingName(const Heads& heads) {
  if (heads.splade) return kSpladePooling;
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

Error UnsupportedModule(const ModuleEntry& module) {
  return ModelError(
      "{}: {} is not supported here; supported are the sequences Transformer, Pooling, Dense (any "
      "number), Normalize (optional); Transformer alone; and Transformer or MLMTransformer, "
      "SpladePooling",
      module.where, Quoted(module.kind));
}

Status ReadSentenceModules(const std::vector<ModuleEntry>& modules, ModelSpec& spec) {
  const std::string list_path = (fs::path(spec.directory) / "modules.json").string();
  const auto kind_of = [&](size_t i) {
    return i < modules.size() ? std::string_view(modules[i].kind) : std::string_view();
  };
  const auto directory_of = [&](size_t i) {
    return (fs::path(spec.directory) / modules[i].path).string();
  };
  const auto config_of = [&](size_t i) {
    return (fs::path(directory_of(i)) / "config.json").string();
  };
  const auto unsupported = [&](size_t i) { return UnsupportedModule(modules[i]); };
  if (modules.empty()) {
    return ModelError("{}: has no modules, but a Transformer is needed", list_path);
  }
  if (kind_of(1) == "SpladePooling") {
    if (kind_of(0) != "Transformer" && kind_of(0) != "MLMTransformer") return unsupported(0);
    if (modules.size() > 2) return unsupported(2);
    spec.labels.clear();
    return ReadSpladePooling(config_of(1), spec);
  }
  if (kind_of(0) != "Transformer") return unsupported(0);
  if (modules.size() == 1) {
    if (spec.is_classifier()) return {};
    return ModelError(
        "{}: has a Transformer alone, which is a cross-encoder or a classifier, but config.json's "
        "architectures has no *ForSequenceClassification; for text embeddings a Pooling is needed",
        list_path);
  }
  // The list of modules says what the model is for, whatever head its checkpoint has besides.
  spec.labels.clear();
  for (size_t i = 1; i < modules.size(); ++i) {
    if (i == 1 && kind_of(i) == "Pooling") {
      RETURN_IF_ERROR(ReadPooling(config_of(i), spec));
    } else if (i >= 2 && kind_of(i) == "Dense") {
      RETURN_IF_ERROR(ReadDense(directory_of(i), spec));
    } else if (i >= 2 && i + 1 == modules.size() && kind_of(i) == "Normalize") {
      spec.normalize = true;
    } else {
      return unsupported(i);
    }
  }
  return {};
}

}  // namespace embedding
