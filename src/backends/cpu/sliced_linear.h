// Products of f32 numbers in slices (slices.h).
#pragma once

#include <memory>

#include "backends/cpu/linear.h"
#include "backends/cpu/tile_end.h"

namespace embedding {

// As PackLinear, or as PackGatedLinear, of kF32, where there is F32SlicesKernel(in_features). The
// numbers of a row of the input, and of an output feature of the weight, are rounded to within
// 2^-22 of the largest of them (slices.h says what that comes to). A row with a number that is not
// finite gives NaN.
std::unique_ptr<Linear> PackSlicedLinear(ThreadTeam& team, DType output,
                                         const LinearWeights& weights, Activation activation,
                                         bool gated = false);

// What ends the tiles of such a product, with outputs of `type`, kF32 or kBF16. Thread-safe.
TileEndFunctions SlicedEnds(DType type, Activation activation, bool gated);

}  // namespace embedding
