#include "model/vector_modules.h"

#include <algorithm>
#include <array>
#include <cstdint>
#include <filesystem>
#include <utility>

#include "base/json_value.h"
#include "weights/model_error.h"
#include "weights/path.h"

namespace embedding {
namespace {

constexpr int64_t kMaxFeatures = 65536;
constexpr std::string_view kVector = "sentence_embedding";
constexpr std::string_view kTokens = "token_embeddings";

// "torch.nn.modules.activation.Tanh", "torch.nn.modules.linear.Identity"
Result<Activation> ReadActivation(const JsonValue& config) {
  constexpr std::pair<std::string_view, Activation> kActivations[] = {
      {"Identity", Activation::kIdentity}, {"Tanh", Activation::kTanh},
      {"ReLU", Activation::kRelu},         {"GELU", Activation::kGelu},
      {"SiLU", Activation::kSilu},         {"Sigmoid", Activation::kSigmoid},
  };
  ASSIGN_OR_RETURN(const std::string path, config.String("activation_function", "torch.nn.Tanh"));
  const std::string_view name = std::string_view(path).substr(path.rfind('.') + 1);
  for (const auto& [known, activation] : kActivations) {
    if (known == name && path.starts_with("torch.nn.")) return activation;
  }
  return ModelError(
      "{}: activation_function {} is not supported; supported are torch.nn's Identity, Tanh, ReLU, "
      "GELU, SiLU and Sigmoid",
      config.place(), Quoted(path));
}

// What a module takes and gives: a text's vector, or every token's, or a cross-encoder's scores.
Status ReadNames(const JsonValue& config, NamedModule& module) {
  ASSIGN_OR_RETURN(const std::string input,
                   config.String("module_input_name", std::string(kVector)));
  if (input != kVector && input != kTokens) {
    return ModelError("{}: module_input_name {} is not supported; supported are \"{}\" and \"{}\"",
                      config.place(), Quoted(input), kVector, kTokens);
  }
  module.of_tokens = input == kTokens;
  ASSIGN_OR_RETURN(const std::string output, config.String("module_output_name", input));
  module.gives_scores = !module.of_tokens && output == "scores";
  if (output != input && !module.gives_scores) {
    return ModelError("{}: module_output_name {} is not supported; supported is \"{}\"",
                      config.place(), Quoted(output), input);
  }
  return {};
}

Result<NamedModule> ReadDense(const std::string& directory, const JsonValue& config,
                              size_t dimension) {
  ASSIGN_OR_RETURN(const int64_t in_features, config.Integer("in_features", 1, kMaxFeatures));
  ASSIGN_OR_RETURN(const int64_t out_features, config.Integer("out_features", 1, kMaxFeatures));
  if (static_cast<size_t>(in_features) != dimension) {
    return ModelError("{}: in_features is {}, but the module before gives {}", config.place(),
                      in_features, dimension);
  }
  DenseModule dense = {.directory = directory,
                       .in_features = static_cast<size_t>(in_features),
                       .out_features = static_cast<size_t>(out_features)};
  ASSIGN_OR_RETURN(dense.bias, config.Bool("bias", true));
  ASSIGN_OR_RETURN(dense.activation, ReadActivation(config));
  ASSIGN_OR_RETURN(dense.residual, config.Bool("use_residual", false));
  NamedModule module;
  RETURN_IF_ERROR(ReadNames(config, module));
  module.module = std::move(dense);
  return module;
}

Result<NamedModule> ReadLayerNorm(const std::string& directory, const JsonValue& config,
                                  size_t dimension) {
  ASSIGN_OR_RETURN(const int64_t size, config.Integer("dimension", 1, kMaxFeatures));
  if (static_cast<size_t>(size) != dimension) {
    return ModelError("{}: dimension is {}, but the module before gives {}", config.place(), size,
                      dimension);
  }
  return NamedModule{.module = LayerNormModule{.directory = directory}};
}

}  // namespace

bool IsVectorModule(std::string_view kind) {
  constexpr std::array<std::string_view, 3> kKinds = {"Dense", "LayerNorm", "Normalize"};
  return std::find(kKinds.begin(), kKinds.end(), kind) != kKinds.end();
}

Result<NamedModule> ReadVectorModule(std::string_view kind, const std::string& directory,
                                     size_t dimension) {
  const std::string path = (std::filesystem::path(directory) / "config.json").string();
  if (kind == "Normalize" && !IsThere(path)) return NamedModule{.module = NormalizeModule()};
  ASSIGN_OR_RETURN(const JsonValue config, JsonValue::ObjectFromFile(path));
  if (kind == "Dense") return ReadDense(directory, config, dimension);
  if (kind == "LayerNorm") return ReadLayerNorm(directory, config, dimension);
  NamedModule module = {.module = NormalizeModule()};
  RETURN_IF_ERROR(ReadNames(config, module));
  return module;
}

}  // namespace embedding
