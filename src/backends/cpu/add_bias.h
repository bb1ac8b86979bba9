// The end of a product of floating-point numbers: bias, activation, rounding.
#pragma once

#include <cstddef>

#include "backends/cpu/tile_end.h"
#include "base/half.h"
#include "model/heads.h"

namespace embedding {

// What writes activation(sums + bias), or of the gate's half times the other half, as numbers of
// `type`, kF32 or kBF16. Thread-safe.
TileEndFunctions BiasEnds(DType type, Activation activation, bool gated);

// x = activation(x), [size]. Thread-safe.
void ActivateRow(Activation activation, size_t size, float* x);
void ActivateRow(Activation activation, size_t size, BFloat16* x);

}  // namespace embedding
