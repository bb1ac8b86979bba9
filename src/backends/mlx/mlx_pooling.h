// The pooled vectors of sequences, on a device of MLX.
#pragma once

#include <mlx/array.h>

#include <cstdint>
#include <span>

#include "model/heads.h"

namespace embedding {

// Of the sequences whose rows are [offsets[s], offsets[s + 1]) of `hidden`, [rows, hidden_size] in
// f32: [sequences, hidden_size]. That of an empty sequence is zeros.
mlx::core::array PoolRows(Pooling pooling, const mlx::core::array& hidden,
                          std::span<const uint32_t> offsets);

}  // namespace embedding
