// The end of a product of floating-point numbers: bias, activation, rounding.
#pragma once

#include <cstddef>

#include "base/half.h"
#include "model/heads.h"

namespace embedding {

// out[0 .. columns) = activation(sums + bias). Sums and bias are `width` long, a panel's width (a
// multiple of every vector's, kMaxPanelWidth at most), and aligned as vectors are. Thread-safe.
void AddBias(const float* sums, const float* bias, Activation activation, size_t width,
             size_t columns, float* out);
void AddBias(const float* sums, const float* bias, Activation activation, size_t width,
             size_t columns, BFloat16* out);

}  // namespace embedding
