// What a product does to a tile's sums, and where the outputs go.
#pragma once

#include <cstddef>

#include "backends/cpu/linear.h"
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

// The output's row and column of a tile's first number.
struct TilePlace {
  OutputView output;
  size_t row;
  size_t column;
};

}  // namespace embedding
