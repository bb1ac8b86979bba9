#include "backends/mlx/mlx_adapters.h"

#include <mlx/mlx.h>

#include <algorithm>
#include <utility>

#include "backends/adapted_models.h"
#include "backends/mlx/arrays.h"

namespace embedding {

namespace mx = mlx::core;

namespace {

int Int(size_t n) { return static_cast<int>(n); }

// Part `i` of an array along its first dimension.
mx::array Part(const mx::array& x, int i) { return mx::take(x, i, 0); }

// Those of `arrays` that are used, one below or beside the other.
mx::array Used(const std::vector<mx::array>& arrays, const std::vector<size_t>& used, int axis) {
  std::vector<mx::array> parts;
  parts.reserve(used.size());
  for (const size_t i : used) parts.push_back(arrays[i]);
  return mx::concatenate(std::move(parts), axis);
}

// y + (u * scales) b, of u, [rows, used * rank].
mx::array AddScaled(const MlxAdapters& adapters, const MlxAdaptedRows& rows, const mx::array& u,
                    const mx::array& y) {
  const int count = Int(rows.used.size());
  const mx::array by_adapter = mx::reshape(u, {u.shape(0), count, -1});
  const mx::array scaled = mx::reshape(by_adapter * mx::expand_dims(rows.scales, 2), u.shape());
  return mx::addmm(y, scaled, Used(adapters.b, rows.used, 0));
}

}  // namespace

std::optional<MlxAdaptedRows> AdaptedRowsOf(const Batch& batch, float scale, size_t rows,
                                            mx::Dtype dtype) {
  std::vector<size_t> used = UsedAdapters(batch);
  if (used.empty()) return std::nullopt;
  std::vector<float> scales(rows * used.size());
  for (size_t s = 0; s < batch.sequences(); ++s) {
    if (batch.adapter_of(s) < 0) continue;
    const auto found = std::ranges::find(used, static_cast<size_t>(batch.adapter_of(s)));
    const auto place = static_cast<size_t>(found - used.begin());
    for (size_t row = batch.offsets[s]; row < batch.offsets[s + 1]; ++row) {
      scales[row * used.size() + place] = scale;
    }
  }
  mx::array all = mx::astype(mx::array(scales.begin(), {Int(rows), Int(used.size())}), dtype);
  return MlxAdaptedRows{std::move(used), std::move(all)};
}

std::optional<MlxAdapters> LoadAdapters(std::span<const LinearTensors> layers, mx::Dtype dtype) {
  if (std::ranges::none_of(layers, [](const auto& layer) { return layer.adapters.has_value(); }))
    return std::nullopt;
  // Each layer's [count, in_features, rank] and [count, rank, out_features], the latter with zeros
  // for the other layers' outputs.
  int out_features = 0;
  for (const LinearTensors& layer : layers) out_features += Int(layer.out_features());
  std::vector<mx::array> a;
  std::vector<mx::array> b;
  int column = 0;
  for (const LinearTensors& layer : layers) {
    const int columns = Int(layer.out_features());
    if (layer.adapters) {
      a.push_back(mx::transpose(ToArray(layer.adapters->a, dtype), {0, 2, 1}));
      const mx::array of_layer = mx::transpose(ToArray(layer.adapters->b, dtype), {0, 2, 1});
      b.push_back(mx::pad(of_layer, {{0, 0}, {0, 0}, {column, out_features - column - columns}}));
    }
    column += columns;
  }
  const mx::array all_a = mx::concatenate(std::move(a), 2);
  const mx::array all_b = mx::concatenate(std::move(b), 1);
  MlxAdapters made;
  for (int i = 0; i < all_a.shape(0); ++i) {
    made.a.push_back(mx::contiguous(Part(all_a, i)));
    made.b.push_back(mx::contiguous(Part(all_b, i)));
    mx::eval(made.a.back(), made.b.back());
  }
  return made;
}

std::optional<MlxAdapters> LoadTableAdapters(const std::optional<AdapterTensors>& table,
                                             mx::Dtype dtype) {
  if (!table) return std::nullopt;
  const mx::array a = ToArray(table->a, dtype);
  const mx::array b = ToArray(table->b, dtype);
  MlxAdapters made;
  for (int i = 0; i < a.shape(0); ++i) {
    made.a.push_back(mx::contiguous(Part(a, i)));
    made.b.push_back(mx::contiguous(Part(b, i)));
    mx::eval(made.a.back(), made.b.back());
  }
  return made;
}

mx::array AddAdapters(const MlxAdapters& adapters, const MlxAdaptedRows& rows, const mx::array& x,
                      const mx::array& y) {
  return AddScaled(adapters, rows, mx::matmul(x, Used(adapters.a, rows.used, 1)), y);
}

mx::array AddTableAdapters(const MlxAdapters& adapters, const MlxAdaptedRows& rows,
                           const mx::array& ids, const mx::array& y) {
  std::vector<mx::array> of_ids;
  of_ids.reserve(rows.used.size());
  for (const size_t i : rows.used) of_ids.push_back(TakeRows(adapters.a[i], ids));
  return AddScaled(adapters, rows, mx::concatenate(std::move(of_ids), 1), y);
}

}  // namespace embedding
