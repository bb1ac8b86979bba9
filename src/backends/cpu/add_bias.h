// The end of a product of floating-point numbers: bias, activation, rounding.
#pragma once

#include <cstddef>

#include "base/half.h"
#include "model/heads.h"

namespace embedding {

// The columns of a panel, and what is done to them.
struct TileColumns {
  const float* bias;  // [width]
  Activation activation;
  size_t width;    // of a panel: kMaxPanelWidth at most
  size_t outputs;  // numbers that are written
  bool gated;      // its first half is the gate, its second half what is gated
};

// out[0 .. outputs) = activation(sums + bias), or of the gate's half times the other half. Sums and
// bias are aligned as vectors are. Thread-safe.
void AddBias(const float* sums, const TileColumns& columns, float* out);
void AddBias(const float* sums, const TileColumns& columns, BFloat16* out);

// x = activation(x), [size]. Thread-safe.
void ActivateRow(Activation activation, size_t size, float* x);
void ActivateRow(Activation activation, size_t size, BFloat16* x);

}  // namespace embedding
