// The pooled vectors of sequences, on a device of MLX.
#pragma once

#include <mlx/array.h>

#include <span>

#include "backends/vector_heads.h"
#include "model/heads.h"

namespace embedding {

// Of the sequences' rows of `hidden`, [rows, size] in f32: [sequences, size]. That of a sequence of
// which none is pooled is zeros; where it has tokens, kCls takes the first of them.
mlx::core::array PoolRows(Pooling pooling, const mlx::core::array& hidden,
                          std::span<const PooledRows> sequences);

}  // namespace embedding
