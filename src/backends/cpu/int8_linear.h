// Products of 8-bit integers.
#pragma once

#include <memory>

#include "backends/cpu/linear.h"
#include "backends/cpu/tile_end.h"

namespace embedding {

// output = activation(s_row * s_column * ((q_input - zero_row) * q_weight^T) + bias). The input's q
// lie in [0, 255]. The weight's q = round(w / s) lies in [-127, 127], s being the largest magnitude
// of its output feature divided by 127. The integer sums are exact for up to 65,536 input features,
// so a row's result does not depend on its batch. An input row whose scale is not finite gives NaN.
std::unique_ptr<Linear> PackInt8Linear(ThreadTeam& team, DType output, const LinearWeights& weights,
                                       Activation activation, bool gated = false);

// What ends the tiles of such a product, with outputs of `type`, kF32 or kBF16. Thread-safe.
TileEndFunctions Int8Ends(DType type, Activation activation, bool gated);

}  // namespace embedding
