// A sentence-transformers model is a list of modules. Supported is the list
//   Transformer, Pooling, Dense*, Normalize?
// whose meaning does not depend on code that comes with the model. A module's type is a Python
// path, which has changed with the library's versions ("sentence_transformers.models.Pooling",
// "sentence_transformers.sentence_transformer.modules.pooling.Pooling"); its last part has not.

#include "weights/sentence_modules.h"

#include <algorithm>
#include <filesystem>
#include <optional>
#include <string>
#include <string_view>
#include <utility>

#include "weights/json_file.h"
#include "weights/model_error.h"
#include "weights/path.h"

namespace embedding {
namespace {

namespace fs = std::filesystem;

constexpr int64_t kMaxFeatures = 65536;

struct Module {
  std::string where;  // "DIR/modules.json: module 1"
  std::string kind;   // "Pooling"
  std::string path;   // of its folder below the model's directory
};

// Whether `path` names something below the directory that it is relative to.
bool StaysInside(const fs::path& path) {
  return !path.has_root_path() && std::find(path.begin(), path.end(), "..") == path.end();
}

Result<Module> ReadModule(const std::string& where, const nlohmann::json& value) {
  ASSIGN_OR_RETURN(const JsonObject fields, JsonObject::FromJson(where, value));
  Module module{.where = where, .kind = {}, .path = {}};
  ASSIGN_OR_RETURN(const std::string type, fields.String("type"));
  if (!type.starts_with("sentence_transformers.")) {
    return ModelError("{}: type {} is not of sentence_transformers; a model's own code is not run",
                      where, Quoted(type));
  }
  module.kind = type.substr(type.rfind('.') + 1);
  ASSIGN_OR_RETURN(module.path, fields.String("path"));
  if (!StaysInside(module.path)) {
    return ModelError("{}: path {} leads out of the model's directory", where, Quoted(module.path));
  }
  if (HasControlCharacter(module.path)) {
    return ModelError("{}: path {} has a control character", where, Quoted(module.path));
  }
  return module;
}

Result<std::vector<Module>> ReadModuleList(const std::string& path) {
  ASSIGN_OR_RETURN(const nlohmann::json list, ReadJsonFile(path));
  if (!list.is_array()) {
    return ModelError("{}: must be a JSON array, but it is {}", path, DescribeJson(list));
  }
  std::vector<Module> modules;
  for (const nlohmann::json& value : list) {
    ASSIGN_OR_RETURN(Module module,
                     ReadModule(fmt::format("{}: module {}", path, modules.size()), value));
    modules.push_back(std::move(module));
  }
  return modules;
}

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

Result<std::vector<Pooling>> ReadPoolingNames(const JsonObject& config) {
  ASSIGN_OR_RETURN(const std::vector<std::string> names, config.Strings("pooling_mode"));
  std::vector<Pooling> pooling;
  for (const std::string& name : names) {
    const auto* const mode =
        std::find_if(std::begin(kPoolingModes), std::end(kPoolingModes),
                     [&](const PoolingMode& known) { return known.name == name; });
    if (mode == std::end(kPoolingModes)) {
      return ModelError("{}: pooling_mode {} is not supported", config.where(), Quoted(name));
    }
    if (std::find(pooling.begin(), pooling.end(), mode->pooling) != pooling.end()) {
      return ModelError("{}: pooling_mode {} is there twice", config.where(), Quoted(name));
    }
    pooling.push_back(mode->pooling);
  }
  if (pooling.empty()) return config.Wrong("pooling_mode", "the name of a mode, or several");
  return pooling;
}

Result<std::vector<Pooling>> ReadPoolingFlags(const JsonObject& config) {
  std::vector<Pooling> pooling;
  for (const PoolingMode& mode : kPoolingModes) {
    ASSIGN_OR_RETURN(const bool on, config.Bool(mode.flag, false));
    if (on) pooling.push_back(mode.pooling);
  }
  if (pooling.empty()) pooling.push_back(Pooling::kMean);
  return pooling;
}

Status ReadPooling(const std::string& path, ModelSpec& spec) {
  ASSIGN_OR_RETURN(const JsonObject config, JsonObject::Read(path));
  const std::string_view width_field =
      config.Has("embedding_dimension") ? "embedding_dimension" : "word_embedding_dimension";
  ASSIGN_OR_RETURN(const int64_t width, config.Integer(width_field, 1, kMaxFeatures));
  if (static_cast<size_t>(width) != spec.encoder.hidden_size) {
    return ModelError("{}: {} is {}, but config.json's hidden_size is {}", path, width_field, width,
                      spec.encoder.hidden_size);
  }
  ASSIGN_OR_RETURN(spec.pooling, config.Has("pooling_mode") ? ReadPoolingNames(config)
                                                            : ReadPoolingFlags(config));
  ASSIGN_OR_RETURN(spec.pools_prompt, config.Bool("include_prompt", true));
  return {};
}

Status ReadSpladePooling(const std::string& path, ModelSpec& spec) {
  ASSIGN_OR_RETURN(const JsonObject config, JsonObject::Read(path));
  for (const auto& [field, only] :
       {std::pair{"pooling_strategy", "max"}, std::pair{"activation_function", "relu"}}) {
    ASSIGN_OR_RETURN(const std::string value, config.String(field, only));
    if (value != only) {
      return ModelError("{}: {} {} is not supported; supported is \"{}\"", path, field,
                        Quoted(value), only);
    }
  }
  spec.is_splade = true;
  spec.pooling = {Pooling::kMean};
  return {};
}

Result<Activation> ReadActivation(const JsonObject& config) {
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
      config.where(), Quoted(path));
}

Status ReadDense(const std::string& directory, ModelSpec& spec) {
  ASSIGN_OR_RETURN(const JsonObject config,
                   JsonObject::Read((fs::path(directory) / "config.json").string()));
  ASSIGN_OR_RETURN(const int64_t in_features, config.Integer("in_features", 1, kMaxFeatures));
  ASSIGN_OR_RETURN(const int64_t out_features, config.Integer("out_features", 1, kMaxFeatures));
  if (static_cast<size_t>(in_features) != spec.dimension()) {
    return ModelError("{}: in_features is {}, but the module before gives {}", config.where(),
                      in_features, spec.dimension());
  }
  ASSIGN_OR_RETURN(const bool use_residual, config.Bool("use_residual", false));
  if (use_residual) return ModelError("{}: use_residual is not supported", config.where());
  ASSIGN_OR_RETURN(const std::string input,
                   config.String("module_input_name", "sentence_embedding"));
  if (input != "sentence_embedding") {
    return ModelError("{}: module_input_name {} is not supported", config.where(), Quoted(input));
  }
  DenseModuleConfig dense{.directory = directory,
                          .in_features = static_cast<size_t>(in_features),
                          .out_features = static_cast<size_t>(out_features)};
  ASSIGN_OR_RETURN(dense.bias, config.Bool("bias", true));
  ASSIGN_OR_RETURN(dense.activation, ReadActivation(config));
  spec.dense.push_back(std::move(dense));
  return {};
}

}  // namespace

std::string PoolingName(const std::vector<Pooling>& pooling) {
  std::string name;
  for (const Pooling each : pooling) {
    for (const PoolingMode& mode : kPoolingModes) {
      if (mode.pooling != each) continue;
      name += name.empty() ? "" : "+";
      name += mode.name;
    }
  }
  return name;
}

Status ReadSentenceModules(ModelSpec& spec) {
  const std::string list_path = (fs::path(spec.directory) / "modules.json").string();
  ASSIGN_OR_RETURN(const std::vector<Module> modules, ReadModuleList(list_path));
  if (modules.size() < 2) {
    return ModelError("{}: has {} modules, but a Transformer and a Pooling are needed", list_path,
                      modules.size());
  }
  if (modules.size() == 2 && modules[0].kind == "MLMTransformer" && modules[0].path.empty() &&
      modules[1].kind == "SpladePooling") {
    return ReadSpladePooling((fs::path(spec.directory) / modules[1].path / "config.json").string(),
                             spec);
  }
  for (size_t i = 0; i < modules.size(); ++i) {
    const Module& module = modules[i];
    const bool last = i + 1 == modules.size();
    const std::string directory = (fs::path(spec.directory) / module.path).string();
    if (i == 0 && module.kind == "Transformer") {
      if (!module.path.empty()) {
        return ModelError("{}: path {}: the Transformer must be in the model's directory itself",
                          module.where, Quoted(module.path));
      }
    } else if (i == 1 && module.kind == "Pooling") {
      RETURN_IF_ERROR(ReadPooling((fs::path(directory) / "config.json").string(), spec));
    } else if (i >= 2 && module.kind == "Dense") {
      RETURN_IF_ERROR(ReadDense(directory, spec));
    } else if (i >= 2 && last && module.kind == "Normalize") {
      spec.normalize = true;
    } else {
      return ModelError(
          "{}: {} is not supported here; supported is the sequence Transformer, Pooling, Dense "
          "(any "
          "number), Normalize (optional), and MLMTransformer, SpladePooling",
          module.where, Quoted(module.kind));
    }
  }
  return {};
}

}  // namespace embedding
