#include "model/module_tensors.h"

#include <cstddef>
#include <filesystem>
#include <string>
#include <utility>
#include <variant>
#include <vector>

namespace embedding {
namespace {

Status Read(const DenseModule& module, const TensorReader& reader, size_t& dimension,
            ModuleTensors& tensors) {
  const size_t in_features = module.in_features;
  const size_t out_features = module.out_features;
  ASSIGN_OR_RETURN(tensors.linear, reader.Linear("linear", in_features, out_features, module.bias));
  if (module.projects_residual()) {
    ASSIGN_OR_RETURN(tensors.residual,
                     reader.Linear("residual", in_features, out_features, /*has_bias=*/false));
  }
  dimension = out_features;
  return {};
}

Status Read(const LayerNormModule& module, const TensorReader& reader, const size_t& dimension,
            ModuleTensors& tensors) {
  ASSIGN_OR_RETURN(tensors.norm, reader.Norm("norm", module.norm, dimension));
  return {};
}

// A module of weights in a directory, of a vector of `dimension` numbers.
template <typename Module>
Status ReadFrom(const Module& module, size_t& dimension, ModuleTensors& tensors,
                std::vector<TensorStore>& files) {
  const auto in_folder = [&](Error error) {
    return std::move(error).At(std::filesystem::path(module.directory).filename().string());
  };
  auto store = TensorStore::OpenDirectory(module.directory);
  if (!store.ok()) return in_folder(std::move(store).error());
  const TensorReader reader(*store, "");
  if (Status read = Read(module, reader, dimension, tensors); !read.ok()) {
    return in_folder(std::move(read).error());
  }
  files.push_back(*std::move(store));
  return {};
}

Status ReadAll(const std::vector<VectorModule>& modules, size_t dimension,
               std::vector<ModuleTensors>& tensors, std::vector<TensorStore>& files) {
  for (const VectorModule& module : modules) {
    ModuleTensors& to = tensors.emplace_back();
    if (const auto* const dense = std::get_if<DenseModule>(&module)) {
      RETURN_IF_ERROR(ReadFrom(*dense, dimension, to, files));
    } else if (const auto* const norm = std::get_if<LayerNormModule>(&module)) {
      RETURN_IF_ERROR(ReadFrom(*norm, dimension, to, files));
    }
  }
  return {};
}

}  // namespace

Status ReadModuleTensors(const ModelSpec& spec, const TensorReader* encoder, Tensors& tensors) {
  const Heads& heads = spec.heads();
  if (!heads.pooled && !heads.scores) return {};
  const PooledVector& vector = heads.pooled ? *heads.pooled : *heads.scores;
  const size_t hidden = spec.encoder().hidden_size;
  HeadTensors& to = tensors.heads;
  std::vector<VectorModule> of_tokens = vector.token_modules;
  size_t token_size = hidden;
  const auto* const first = of_tokens.empty() ? nullptr : std::get_if<DenseModule>(&of_tokens[0]);
  if (first != nullptr && first->directory.empty() && encoder != nullptr) {
    token_size = first->out_features;
    ASSIGN_OR_RETURN(
        to.token_modules.emplace_back().linear,
        encoder->Linear(spec.family->token_projection.tensor, hidden, token_size, first->bias));
    of_tokens.erase(of_tokens.begin());
  }
  RETURN_IF_ERROR(ReadAll(of_tokens, token_size, to.token_modules, tensors.head_files));
  return ReadAll(vector.modules, vector.pooled_size(hidden), to.modules, tensors.head_files);
}

}  // namespace embedding
