#include "engine/model_info.h"

#include <sys/stat.h>

#include <algorithm>
#include <cstdint>
#include <filesystem>
#include <utility>

#include "model/sentence_modules.h"

namespace embedding {
namespace {

const char* FamilyName(ModelFamily family) {
  switch (family) {
    case ModelFamily::kBert:
      return "bert";
    case ModelFamily::kRoberta:
      return "roberta";
    case ModelFamily::kXlmRoberta:
      return "xlm-roberta";
  }
  return "";
}

// In seconds since 1970; 0 if there is no such file.
int64_t ModifiedAt(const std::filesystem::path& path) {
  struct stat status = {};
  return ::stat(path.c_str(), &status) == 0 ? int64_t{status.st_mtime} : 0;
}

}  // namespace

ModelInfo DescribeModel(std::string name, const ModelSpec& spec, const TensorStore& weights,
                        const ModelRunner& runner) {
  ModelInfo info;
  info.name = std::move(name);
  info.device = runner.backend().device();
  info.dtype = runner.backend().dtype();
  info.max_dimension = spec.is_classifier() ? 0 : spec.dimension();
  info.dimension = std::min(info.max_dimension, spec.truncate_dim.value_or(info.max_dimension));
  info.has_sparse = runner.has_sparse();
  info.has_colbert = runner.has_colbert();
  info.labels = spec.encoder.labels;
  info.family = FamilyName(spec.encoder.family);
  for (const auto& [tensor_name, tensor] : weights.tensors()) {
    info.weight_bytes += tensor.bytes.size();
    const bool trained = tensor.dtype == DType::kF32 || tensor.dtype == DType::kF16 ||
                         tensor.dtype == DType::kBF16 || tensor.dtype == DType::kF64;
    if (trained) info.parameters += tensor.elements();
  }
  info.modified = ModifiedAt(std::filesystem::path(spec.transformer_directory) / "config.json");
  info.pooling = spec.splade ? kSpladePooling : PoolingName(spec.pooling);
  info.warnings = spec.warnings;
  info.max_input_tokens = spec.max_seq_length;
  return info;
}

}  // namespace embedding
