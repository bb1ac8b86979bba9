#include "model/tensor_reader.h"

#include <cstdint>
#include <cstring>
#include <memory>
#include <optional>

#include "model/name_forms.h"

namespace embedding {
namespace {

std::string Below(std::string_view prefix, std::string_view name) {
  std::string path(prefix);
  if (!path.empty() && !name.empty()) path += '.';
  return path.append(name);
}

}  // namespace

std::string_view TensorReader::Form(std::string_view name, std::string_view ending) const {
  return FindForm(name, [&](std::string_view form) {
    return store_.Find(Below(Below(prefix_, form), ending)) != nullptr;
  });
}

TensorReader TensorReader::At(std::string_view name) const {
  return {store_, Below(prefix_, name)};
}

bool TensorReader::Has(std::string_view name) const {
  return store_.Find(Below(prefix_, Form(name, ""))) != nullptr;
}

bool TensorReader::HasWeight(std::string_view name) const {
  return At(Form(name, "weight")).Has("weight");
}

Result<TensorView> TensorReader::Tensor(std::string_view name,
                                        std::initializer_list<size_t> shape) const {
  std::vector<int64_t> expected;
  for (const size_t n : shape) expected.push_back(static_cast<int64_t>(n));
  return store_.Require(Below(prefix_, Form(name, "")), expected);
}

Result<TensorView> TensorReader::Table(std::string_view name, size_t rows, size_t columns) const {
  return At(Form(name, "weight")).Tensor("weight", {rows, columns});
}

Result<LinearTensors> TensorReader::Linear(std::string_view name, size_t in_features,
                                           size_t out_features, bool has_bias) const {
  const TensorReader reader = At(Form(name, "weight"));
  LinearTensors linear{.name = reader.prefix_, .weight = {}, .bias = {}};
  ASSIGN_OR_RETURN(linear.weight, reader.Tensor("weight", {out_features, in_features}));
  if (!has_bias) return linear;
  ASSIGN_OR_RETURN(linear.bias, reader.Tensor("bias", {out_features}));
  return linear;
}

Result<std::vector<LinearTensors>> TensorReader::Fused(std::string_view name, size_t in_features,
                                                       std::initializer_list<size_t> out_features,
                                                       bool has_bias) const {
  size_t all = 0;
  for (const size_t n : out_features) all += n;
  ASSIGN_OR_RETURN(const LinearTensors fused, Linear(name, in_features, all, has_bias));
  std::vector<LinearTensors> parts;
  size_t first = 0;
  for (const size_t rows : out_features) {
    LinearTensors& part = parts.emplace_back();
    part.name = fused.name;
    part.weight = RowsOf(fused.weight, first, rows);
    if (fused.bias) part.bias = RowsOf(*fused.bias, first, rows);
    first += rows;
  }
  return parts;
}

Result<NormTensors> TensorReader::Norm(std::string_view name, const embedding::Norm& norm,
                                       size_t size) const {
  // Checkpoints converted from TensorFlow call the two gamma and beta.
  const TensorReader old = At(Form(name, "gamma"));
  const bool old_names = old.Has("gamma");
  const TensorReader reader = old_names ? old : At(Form(name, "weight"));
  NormTensors tensors;
  ASSIGN_OR_RETURN(tensors.weight, reader.Tensor(old_names ? "gamma" : "weight", {size}));
  if (!norm.has_bias()) return tensors;
  ASSIGN_OR_RETURN(tensors.bias, reader.Tensor(old_names ? "beta" : "bias", {size}));
  return tensors;
}

Result<std::optional<NormTensors>> TensorReader::Norm(std::string_view name,
                                                      const std::optional<embedding::Norm>& norm,
                                                      size_t size) const {
  if (!norm) return std::optional<NormTensors>();
  ASSIGN_OR_RETURN(NormTensors tensors, Norm(name, *norm, size));
  return std::optional(std::move(tensors));
}

TensorView RowsOf(const TensorView& tensor, size_t first, size_t rows) {
  TensorView view = tensor;
  const size_t row_bytes = tensor.bytes.size() / static_cast<size_t>(tensor.shape[0]);
  view.shape[0] = static_cast<int64_t>(rows);
  view.bytes = tensor.bytes.subspan(first * row_bytes, rows * row_bytes);
  return view;
}

TensorView Transposed(const TensorView& tensor) {
  const auto rows = static_cast<size_t>(tensor.shape[0]);
  const auto columns = static_cast<size_t>(tensor.shape[1]);
  const size_t size = DTypeBytes(tensor.dtype);
  auto bytes = std::make_shared<std::vector<std::byte>>(tensor.bytes.size());
  for (size_t i = 0; i < rows; ++i) {
    for (size_t k = 0; k < columns; ++k) {
      std::memcpy(bytes->data() + (k * rows + i) * size,
                  tensor.bytes.data() + (i * columns + k) * size, size);
    }
  }
  TensorView view{.dtype = tensor.dtype,
                  .shape = {tensor.shape[1], tensor.shape[0]},
                  .bytes = *bytes,
                  .copy = nullptr};
  view.copy = std::move(bytes);
  return view;
}

}  // namespace embedding
