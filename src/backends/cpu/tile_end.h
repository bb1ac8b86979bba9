// The end of a tile: what a product does to the tile's sums, and where the outputs go.
#pragma once

#include <cstddef>

#include "backends/cpu/linear.h"
#include "backends/cpu/panel_tile.h"
#include "model/heads.h"

namespace embedding {

// The columns of a panel. Of a gated product the first half is the gate, the second half what is
// gated.
struct TileColumns {
  const float* bias;      // [width]
  Activation activation;  // the one that TileEndFunctions are for
  size_t width;           // of a panel: kMaxPanelWidth at most
  size_t outputs;         // numbers that are written
};

// The output's row and column of a tile's first number. The row is a multiple of kTileRows where
// the output is in the order of tiles.
struct TilePlace {
  OutputView output;
  size_t row;
  size_t column;
};

// What the end of one tile needs.
struct TileEnd {
  TileColumns columns;
  TilePlace place;
  const void* sums;  // [rows][width] of float or int32_t, aligned as vectors are
  // Of integers and slices: of the tile's rows, and [width] of the weight, of slices times 2^16.
  const RowScale* inputs = nullptr;
  const float* scales = nullptr;
  const float* weight_sums = nullptr;  // [width], of the weight's integers
  size_t next_sums = 0;                // of slices: numbers from S0 to S1, and from S1 to S2
};

// What a product does its tiles' ends with, for one type of outputs and one activation, gated or
// not.
struct TileEndFunctions {
  // Does those of rows [begin, end) of a tile: `tile_end` is a TileEnd.
  void (*run)(const void* tile_end, size_t begin, size_t end);
  // Multiplies by AMX as MicroKernel::multiply does, where the work beside is a TileEnd of 32
  // columns, which is done in place: calls would hold up the tiles. nullptr in code for processors
  // without AMX, and for activations that few models have, whose ends are called.
  void (*multiply_by_amx)(const PanelTile& tile);
};

}  // namespace embedding
