// The end of a tile: what a product does to the tile's sums, and where the outputs go.
#pragma once

#include <cstddef>

#include "backends/cpu/linear.h"
#include "backends/cpu/panel_tile.h"
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

struct TileEnd {
  TileColumns columns;
  TilePlace place;
  const void* sums;  // [rows][width] of float or int32_t, aligned as vectors are
  // Of integers and slices.
  const RowScale* inputs = nullptr;    // of the tile's rows
  const float* scales = nullptr;       // [width], of the weight
  const float* weight_sums = nullptr;  // [width], of the weight's integers
  size_t next_sums = 0;                // numbers from S0 to S1, and from S1 to S2
};

// What a product does its tiles' ends with, for one type of outputs and one activation.
struct TileEndFunctions {
  // Does those of rows [begin, end) of a tile: `tile_end` is a TileEnd.
  void (*run)(const void* tile_end, size_t begin, size_t end);
  // Multiplies by AMX as MicroKernel::multiply does, with WorkBeside's calls of `run` in place: a
  // call would hold up the tiles. nullptr in code for processors without.
  void (*multiply_by_amx)(const PanelTile& tile);
};

}  // namespace embedding
