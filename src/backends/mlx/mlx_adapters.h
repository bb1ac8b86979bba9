// Additions of low rank to weights, Adapters of model/architecture.h, on a device of MLX.
#pragma once

#include <mlx/array.h>

#include <cstddef>
#include <cstdint>
#include <optional>
#include <span>
#include <vector>

#include "backends/backend.h"
#include "model/tensors.h"

namespace embedding {

// Which adapters the rows of a batch have.
struct MlxAdaptedRows {
  std::vector<size_t> used;  // ascending
  // [rows, used]: Adapters::scale where the row has that one, else 0.
  mlx::core::array scales;
};

// Of a batch whose rows are filled up to `rows`; none where no sequence has one.
std::optional<MlxAdaptedRows> AdaptedRowsOf(const Batch& batch, float scale, size_t rows,
                                            mlx::core::Dtype dtype);

// Of linear layers of one input, side by side, or of a table of embeddings.
struct MlxAdapters {
  // By adapter: of layers [in_features, rank] and [rank, out_features], where the ranks of several
  // layers stand side by side; of a table [rows, rank] and [rank, columns].
  std::vector<mlx::core::array> a;
  std::vector<mlx::core::array> b;
};

// None where no layer has any.
std::optional<MlxAdapters> LoadAdapters(std::span<const LinearTensors> layers,
                                        mlx::core::Dtype dtype);
std::optional<MlxAdapters> LoadTableAdapters(const std::optional<AdapterTensors>& table,
                                             mlx::core::Dtype dtype);

// y, [rows, out_features], with what the adapters add to the product of x, [rows, in_features].
mlx::core::array AddAdapters(const MlxAdapters& adapters, const MlxAdaptedRows& rows,
                             const mlx::core::array& x, const mlx::core::array& y);
// y, [rows, columns], with what they add to the table's rows `ids`, [rows].
mlx::core::array AddTableAdapters(const MlxAdapters& adapters, const MlxAdaptedRows& rows,
                                  const mlx::core::array& ids, const mlx::core::array& y);

}  // namespace embedding
