// The end of a product of floating-point numbers: bias, activation, rounding.
#pragma once

#include <cstddef>

#include "backends/cpu/linear.h"
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

// activation(sums + bias) of `rows` rows of sums, [rows][width], or of the gate's half times the
// other half: `outputs` numbers of `type`, kF32 or kBF16, from this row and column of the output
// on. Sums and bias are aligned as vectors are. Thread-safe.
void AddBias(const float* sums, size_t rows, const TileColumns& columns, DType type,
             const OutputView& output, size_t row, size_t column);

// x = activation(x), [size]. Thread-safe.
void ActivateRow(Activation activation, size_t size, float* x);
void ActivateRow(Activation activation, size_t size, BFloat16* x);

}  // namespace embedding
