// The end of a product of floating-point numbers: bias, activation, rounding.
#pragma once

#include <cstddef>

#include "backends/cpu/tile_columns.h"
#include "base/half.h"
#include "model/heads.h"

namespace embedding {

// activation(sums + bias) of `rows` rows of sums, [rows][width], or of the gate's half times the
// other half, as numbers of `type`, kF32 or kBF16. Sums and bias are aligned as vectors are.
// Thread-safe.
void AddBias(const float* sums, size_t rows, const TileColumns& columns, DType type,
             const TilePlace& place);

// x = activation(x), [size]. Thread-safe.
void ActivateRow(Activation activation, size_t size, float* x);
void ActivateRow(Activation activation, size_t size, BFloat16* x);

}  // namespace embedding
