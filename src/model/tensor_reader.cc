#include "model/tensor_reader.h"

#include <cstdint>
#include <cstring>
#include <optional>
#include <utility>
#include <vector>

#include "model/name_forms.h"

namespace embedding {
namespace {

std::string Below(std::string_view prefix, std::string_view name) {
  std::string path(prefix);
  if (!path.empty() && !name.empty()) path += '.';
  return path.append(name);
}

// Of a Conv1d's weight, [channels, channels of a group, kernel], a copy, [channels, kernel *
// channels].
TensorView NeighboursSideBySide(const TensorView& weight) {
  const auto channels = static_cast<size_t>(weight.shape[0]);
  const auto of_group = static_cast<size_t>(weight.shape[1]);
  const auto kernel = static_cast<size_t>(weight.shape[2]);
  const size_t size = DTypeBytes(weight.dtype);
  std::vector<std::byte> bytes(channels * kernel * channels * size);
  const std::byte* from = weight.bytes.data();
  for (size_t out = 0; out < channels; ++out) {
    const size_t group = out / of_group * of_group;
    for (size_t in = group; in < group + of_group; ++in) {
      for (size_t k = 0; k < kernel; ++k, from += size) {
        std::memcpy(bytes.data() + ((out * kernel + k) * channels + in) * size, from, size);
      }
    }
  }
  return MakeTensor(weight.dtype, {weight.shape[0], static_cast<int64_t>(kernel * channels)},
                    std::move(bytes));
}

constexpr std::string_view kParametrised = "parametrizations.weight.original";
constexpr std::string_view kAdapterA = "parametrizations.weight.0.lora_A";
constexpr std::string_view kAdapterB = "parametrizations.weight.0.lora_B";

}  // namespace

std::string_view TensorReader::Form(std::string_view name, std::string_view ending) const {
  return FindForm(name, [&](std::string_view form) {
    return store_.Find(Below(Below(prefix_, form), ending)) != nullptr;
  });
}

TensorReader TensorReader::At(std::string_view name) const {
  return {store_, Below(prefix_, name), adapters_};
}

bool TensorReader::Has(std::string_view name) const {
  return store_.Find(Below(prefix_, Form(name, ""))) != nullptr;
}

std::pair<TensorReader, std::string_view> TensorReader::Weight(std::string_view name) const {
  const TensorReader parametrised = At(Form(name, kParametrised));
  if (parametrised.Has(kParametrised)) return {parametrised, kParametrised};
  return {At(Form(name, "weight")), "weight"};
}

bool TensorReader::HasWeight(std::string_view name) const {
  const auto [reader, weight] = Weight(name);
  return reader.Has(weight);
}

Result<std::optional<AdapterTensors>> TensorReader::ReadAdapters(size_t a_rows, size_t a_columns,
                                                                 size_t b_rows,
                                                                 size_t b_columns) const {
  std::optional<AdapterTensors> read;
  if (!adapters_ || !Has(kAdapterA)) return read;
  read.emplace();
  ASSIGN_OR_RETURN(read->a, Tensor(kAdapterA, {adapters_->count, a_rows, a_columns}));
  ASSIGN_OR_RETURN(read->b, Tensor(kAdapterB, {adapters_->count, b_rows, b_columns}));
  return read;
}

Result<TensorView> TensorReader::Tensor(std::string_view name,
                                        std::initializer_list<size_t> shape) const {
  std::vector<int64_t> expected;
  for (const size_t n : shape) expected.push_back(static_cast<int64_t>(n));
  return store_.Require(Below(prefix_, Form(name, "")), expected);
}

Result<TensorView> TensorReader::Table(std::string_view name, size_t rows, size_t columns) const {
  const auto [reader, weight] = Weight(name);
  return reader.Tensor(weight, {rows, columns});
}

Result<std::optional<AdapterTensors>> TensorReader::TableAdapters(std::string_view name,
                                                                  size_t rows,
                                                                  size_t columns) const {
  const size_t rank = adapters_ ? adapters_->rank : 0;
  return Weight(name).first.ReadAdapters(rows, rank, rank, columns);
}

Result<LinearTensors> TensorReader::Linear(std::string_view name, size_t in_features,
                                           size_t out_features, bool has_bias) const {
  const auto [reader, weight] = Weight(name);
  LinearTensors linear{.name = reader.prefix_, .weight = {}, .bias = {}};
  ASSIGN_OR_RETURN(linear.weight, reader.Tensor(weight, {out_features, in_features}));
  const size_t rank = adapters_ ? adapters_->rank : 0;
  ASSIGN_OR_RETURN(linear.adapters, reader.ReadAdapters(rank, in_features, out_features, rank));
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
    if (fused.adapters) {
      part.adapters = {fused.adapters->a, InnerRowsOf(fused.adapters->b, first, rows)};
    }
    first += rows;
  }
  return parts;
}

Result<LinearTensors> TensorReader::Convolution(std::string_view name, size_t channels,
                                                const embedding::Convolution& convolution) const {
  const TensorReader reader = At(Form(name, "weight"));
  LinearTensors linear{.name = reader.prefix_, .weight = {}, .bias = {}};
  ASSIGN_OR_RETURN(
      const TensorView weight,
      reader.Tensor("weight", {channels, channels / convolution.groups, convolution.kernel}));
  linear.weight = NeighboursSideBySide(weight);
  ASSIGN_OR_RETURN(linear.bias, reader.Tensor("bias", {channels}));
  return linear;
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

TensorView InnerRowsOf(const TensorView& tensor, size_t first, size_t rows) {
  const auto count = static_cast<size_t>(tensor.shape[0]);
  const auto all_rows = static_cast<size_t>(tensor.shape[1]);
  const size_t row_bytes = tensor.bytes.size() / (count * all_rows);
  std::vector<std::byte> bytes;
  bytes.reserve(count * rows * row_bytes);
  for (size_t i = 0; i < count; ++i) {
    const auto part = tensor.bytes.subspan((i * all_rows + first) * row_bytes, rows * row_bytes);
    bytes.insert(bytes.end(), part.begin(), part.end());
  }
  return MakeTensor(tensor.dtype, {tensor.shape[0], static_cast<int64_t>(rows), tensor.shape[2]},
                    std::move(bytes));
}

TensorView PlusRow(const TensorView& table, const TensorView& row) {
  std::vector<float> sums(table.elements());
  std::vector<float> added(row.elements());
  CopyToF32(table, sums);
  CopyToF32(row, added);
  for (size_t i = 0; i < sums.size(); ++i) sums[i] += added[i % added.size()];
  return MakeTensor(table.shape, sums);
}

TensorView Transposed(const TensorView& tensor) {
  const auto rows = static_cast<size_t>(tensor.shape[0]);
  const auto columns = static_cast<size_t>(tensor.shape[1]);
  const size_t size = DTypeBytes(tensor.dtype);
  std::vector<std::byte> bytes(tensor.bytes.size());
  for (size_t i = 0; i < rows; ++i) {
    for (size_t k = 0; k < columns; ++k) {
      std::memcpy(bytes.data() + (k * rows + i) * size,
                  tensor.bytes.data() + (i * columns + k) * size, size);
    }
  }
  return MakeTensor(tensor.dtype, {tensor.shape[1], tensor.shape[0]}, std::move(bytes));
}

}  // namespace embedding
