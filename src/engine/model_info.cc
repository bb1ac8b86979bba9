#include "engine/model_info.h"

#include <fmt/format.h>
#include <sys/stat.h>

#include <algorithm>
#include <cstdint>
#include <filesystem>
#include <string_view>
#include <utility>
#include <vector>

#include "model/sentence_modules.h"

namespace embedding {
namespace {

// In seconds since 1970; 0 if there is no such file.
int64_t ModifiedAt(const std::filesystem::path& path) {
  struct stat status = {};
  return ::stat(path.c_str(), &status) == 0 ? int64_t{status.st_mtime} : 0;
}

// Each once: "cuda:0, cuda:1".
std::string NamesOf(std::span<const std::shared_ptr<Backend>> backends) {
  std::vector<std::string_view> names;
  for (const auto& backend : backends) {
    if (std::find(names.begin(), names.end(), backend->device()) == names.end())
      names.push_back(backend->device());
  }
  return fmt::format("{}", fmt::join(names, ", "));
}

}  // namespace

ModelInfo DescribeModel(std::string name, const ModelSpec& spec, const TensorStore& weights,
                        std::span<const std::shared_ptr<Backend>> backends,
                        const Session& session) {
  ModelInfo info;
  info.name = std::move(name);
  info.device = NamesOf(backends);
  info.replicas = backends.size();
  info.dtype = session.dtype();
  info.products = session.products();
  info.max_dimension = spec.dimension();
  info.dimension = std::min(info.max_dimension, spec.truncate_dim.value_or(info.max_dimension));
  info.has_sparse = spec.heads().token_weights || spec.heads().splade;
  info.has_colbert = spec.heads().token_vectors.has_value();
  info.labels = spec.labels;
  for (const auto& [prompt_name, prompt] : spec.prompts) info.prompt_names.push_back(prompt_name);
  info.family = spec.is_static ? "static" : spec.family->name();
  info.matryoshka_dimensions = spec.matryoshka_dimensions;
  info.similarity = spec.similarity;
  info.normalizes = spec.normalize;
  for (const auto& [tensor_name, tensor] : weights.tensors()) {
    info.weight_bytes += tensor.bytes.size();
    const bool trained = tensor.dtype == DType::kF32 || tensor.dtype == DType::kF16 ||
                         tensor.dtype == DType::kBF16 || tensor.dtype == DType::kF64;
    if (trained) info.parameters += tensor.elements();
  }
  info.modified = ModifiedAt(std::filesystem::path(spec.transformer_directory) / "config.json");
  info.pooling = PoolingName(spec.heads());
  info.warnings = spec.warnings;
  info.max_input_tokens = spec.max_seq_length;
  return info;
}

}  // namespace embedding
