#include "backends/cuda/cuda_adapters.h"

#include <algorithm>
#include <utility>

namespace embedding {
namespace {

// Ranks are filled up with zeros: products want rows that begin at multiples of 16 bytes.
size_t Padded(size_t rank) { return (rank + 7) / 8 * 8; }

std::vector<float> NumbersOf(const TensorView& tensor) {
  std::vector<float> numbers(tensor.elements());
  CopyToF32(tensor, numbers);
  return numbers;
}

// [out_features, in_features] of type().
Result<CudaLinear> MakeLinear(CudaCompute& compute, std::span<const float> weight,
                              size_t in_features) {
  const size_t bytes = compute.element_bytes();
  const size_t out_features = weight.size() / in_features;
  CudaLinear linear = {compute.DeviceBuffer(), compute.DeviceBuffer(), in_features, out_features,
                       compute.type()};
  RETURN_IF_ERROR(linear.weight.Reserve(weight.size() * bytes));
  RETURN_IF_ERROR(compute.Put(weight, linear.weight.address(), compute.type()));
  RETURN_IF_ERROR(linear.bias.Reserve(out_features * bytes));
  const std::vector<float> zeros(out_features);
  RETURN_IF_ERROR(compute.Put(zeros, linear.bias.address(), compute.type()));
  return linear;
}

}  // namespace

Result<CudaAdaptedLinear> LoadAdaptedLinears(CudaCompute& compute,
                                             std::span<const LinearTensors> tensors) {
  ASSIGN_OR_RETURN(CudaLinear linear, compute.LoadLinears(tensors, compute.type()));
  CudaAdaptedLinear made = {std::move(linear), {}};
  size_t rank = 0;  // of all layers, side by side
  size_t count = 0;
  for (const LinearTensors& each : tensors) {
    if (!each.adapters) continue;
    count = static_cast<size_t>(each.adapters->a.shape[0]);
    rank += Padded(static_cast<size_t>(each.adapters->a.shape[1]));
  }
  const size_t in = made.linear.in_features;
  const size_t out = made.linear.out_features;
  for (size_t i = 0; i < count; ++i) {
    std::vector<float> a(rank * in);
    std::vector<float> b(out * rank);
    size_t row = 0;
    size_t feature = 0;
    for (const LinearTensors& each : tensors) {
      const size_t features = each.out_features();
      if (each.adapters) {
        const auto of_layer = static_cast<size_t>(each.adapters->a.shape[1]);
        const std::vector<float> all_a = NumbersOf(each.adapters->a);
        const std::vector<float> all_b = NumbersOf(each.adapters->b);
        std::copy_n(all_a.data() + i * of_layer * in, of_layer * in, a.data() + row * in);
        for (size_t f = 0; f < features; ++f) {
          std::copy_n(all_b.data() + (i * features + f) * of_layer, of_layer,
                      b.data() + (feature + f) * rank + row);
        }
        row += Padded(of_layer);
      }
      feature += features;
    }
    ASSIGN_OR_RETURN(CudaLinear low, MakeLinear(compute, a, in));
    ASSIGN_OR_RETURN(CudaLinear high, MakeLinear(compute, b, rank));
    made.adapters.a.push_back(std::move(low));
    made.adapters.b.push_back(std::move(high));
  }
  return made;
}

Result<CudaTableAdapters> LoadTableAdapters(CudaCompute& compute,
                                            const std::optional<AdapterTensors>& tensors) {
  CudaTableAdapters made;
  if (!tensors) return made;
  const auto count = static_cast<size_t>(tensors->a.shape[0]);
  const auto rows = static_cast<size_t>(tensors->a.shape[1]);
  const auto rank = static_cast<size_t>(tensors->a.shape[2]);
  const auto columns = static_cast<size_t>(tensors->b.shape[2]);
  const std::vector<float> all_a = NumbersOf(tensors->a);
  const std::vector<float> all_b = NumbersOf(tensors->b);
  for (size_t i = 0; i < count; ++i) {
    std::vector<float> a(rows * Padded(rank));
    for (size_t row = 0; row < rows; ++row) {
      std::copy_n(all_a.data() + (i * rows + row) * rank, rank, a.data() + row * Padded(rank));
    }
    std::vector<float> b(columns * Padded(rank));
    for (size_t r = 0; r < rank; ++r) {
      for (size_t column = 0; column < columns; ++column)
        b[column * Padded(rank) + r] = all_b[(i * rank + r) * columns + column];
    }
    CudaBuffer table = compute.DeviceBuffer();
    RETURN_IF_ERROR(table.Reserve(a.size() * compute.element_bytes()));
    RETURN_IF_ERROR(compute.Put(a, table.address(), compute.type()));
    made.a.push_back(std::move(table));
    ASSIGN_OR_RETURN(CudaLinear high, MakeLinear(compute, b, Padded(rank)));
    made.b.push_back(std::move(high));
  }
  return made;
}

Result<bool> CudaAdapterProducts::Reserve(size_t rows, size_t rank) {
  const size_t bytes = rows * rank * compute_.element_bytes();
  const bool has_room = bytes <= low_.bytes();
  RETURN_IF_ERROR(low_.Reserve(bytes));
  return has_room;
}

Status CudaAdapterProducts::ScaleLow(size_t which, float factor, const CudaAdaptedRows& adapted,
                                     size_t rows, size_t rank) {
  return compute_.kernels().Launch(Kernel::kScaleRows, GridOver(rows * rank), compute_.stream(),
                                   adapted.of_rows, static_cast<int>(which), factor, uint64_t{rows},
                                   uint64_t{rank}, low_.address());
}

Status CudaAdapterProducts::Multiply(const CudaAdaptedLinear& linear, CudaPointer x,
                                     const CudaAdaptedRows& adapted, size_t rows, CudaPointer added,
                                     CudaPointer y) {
  RETURN_IF_ERROR(compute_.Multiply(linear.linear, x, rows, added, y));
  if (linear.adapters.empty()) return {};
  for (const size_t which : adapted.used) {
    const CudaLinear& a = linear.adapters.a[which];
    RETURN_IF_ERROR(compute_.Multiply(a, x, rows, /*added=*/0, low_.address()));
    RETURN_IF_ERROR(ScaleLow(which, scale_, adapted, rows, a.out_features));
    RETURN_IF_ERROR(compute_.Multiply(linear.adapters.b[which], low_.address(), rows, y, y));
  }
  return {};
}

Status CudaAdapterProducts::AddOfTable(const CudaTableAdapters& table, CudaPointer ids,
                                       float factor, const CudaAdaptedRows& adapted, size_t rows,
                                       CudaPointer y) {
  if (table.empty()) return {};
  for (const size_t which : adapted.used) {
    const CudaLinear& b = table.b[which];
    RETURN_IF_ERROR(
        compute_.GatherRows(table.a[which].address(), ids, rows, b.in_features, low_.address()));
    RETURN_IF_ERROR(ScaleLow(which, factor * scale_, adapted, rows, b.in_features));
    RETURN_IF_ERROR(compute_.Multiply(b, low_.address(), rows, y, y));
  }
  return {};
}

size_t RankOf(const CudaAdapters& adapters) {
  return adapters.empty() ? 0 : adapters.a.front().out_features;
}

size_t RankOf(const CudaTableAdapters& adapters) {
  return adapters.empty() ? 0 : adapters.b.front().in_features;
}

}  // namespace embedding
