#include "model/module_tensors.h"

#include <cstddef>
#include <filesystem>
#include <string>
#include <utility>
#include <variant>

#include "model/tensor_reader.h"

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
Status ReadFrom(const Module& module, size_t& dimension, Tensors& tensors) {
  const auto in_folder = [&](Error error) {
    return std::move(error).At(std::filesystem::path(module.directory).filename().string());
  };
  auto store = TensorStore::OpenDirectory(module.directory);
  if (!store.ok()) return in_folder(std::move(store).error());
  const TensorReader reader(*store, "");
  if (Status read = Read(module, reader, dimension, tensors.heads.modules.emplace_back());
      !read.ok()) {
    return in_folder(std::move(read).error());
  }
  tensors.head_files.push_back(*std::move(store));
  return {};
}

}  // namespace

Status ReadModuleTensors(const ModelSpec& spec, Tensors& tensors) {
  const Heads& heads = spec.heads();
  if (!heads.pooled && !heads.scores) return {};
  const PooledVector& vector = heads.pooled ? *heads.pooled : *heads.scores;
  size_t dimension = vector.pooling.size() * spec.encoder().hidden_size;
  for (const VectorModule& module : vector.modules) {
    if (const auto* const dense = std::get_if<DenseModule>(&module)) {
      RETURN_IF_ERROR(ReadFrom(*dense, dimension, tensors));
    } else if (const auto* const norm = std::get_if<LayerNormModule>(&module)) {
      RETURN_IF_ERROR(ReadFrom(*norm, dimension, tensors));
    } else {
      tensors.heads.modules.emplace_back();
    }
  }
  return {};
}

}  // namespace embedding
