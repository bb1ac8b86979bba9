#include "backends/cpu/amx_tiles.h"

#if defined(__x86_64__)

#include <algorithm>
#include <cstdint>
#include <initializer_list>

#include "backends/cpu/amx_tiles-inl.h"
#include "backends/cpu/tile_kernel-inl.h"

namespace embedding {
namespace {

// What ldtilecfg reads: Intel's manual, volume 1, 18.3.
struct alignas(64) TileConfiguration {
  uint8_t palette = 1;
  uint8_t start_row = 0;
  uint8_t reserved[14] = {};
  uint16_t row_bytes[16] = {};
  uint8_t rows[16] = {};
};
static_assert(sizeof(TileConfiguration) == 64);

}  // namespace

constinit thread_local size_t amx_configured_rows = 0;

// This takes as long as some steps.
void ConfigureAmx(size_t rows) {
  TileConfiguration configuration;
  const auto set = [&](int tile, size_t tile_rows) {
    configuration.rows[tile] = static_cast<uint8_t>(tile_rows);
    configuration.row_bytes[tile] = tile_rows == 0 ? 0 : uint16_t{kTileRowBytes};
  };
  const size_t first = std::min(rows, kTileRows);
  for (const int tile : {0, 1, 4}) set(tile, first);
  for (const int tile : {2, 3, 5}) set(tile, rows - first);
  for (const int tile : {6, 7}) set(tile, kTileRows);
  asm volatile("ldtilecfg %0" : : "m"(configuration));
  amx_configured_rows = rows;
}

using HWY_NAMESPACE::CallRows;
using HWY_NAMESPACE::MultiplySlicedTile;
using HWY_NAMESPACE::MultiplyTiles;

void MultiplyBf16ByAmx(const PanelTile& tile) {
  MultiplyTiles<AmxBf16>(tile, CallRows(tile.beside));
}
void MultiplyInt8ByAmx(const PanelTile& tile) {
  MultiplyTiles<AmxInt8>(tile, CallRows(tile.beside));
}
void MultiplyDigitsByAmx(const PanelTile& tile) {
  MultiplyTiles<AmxDigits>(tile, CallRows(tile.beside));
}
void MultiplySlicedByAmx(const SlicedTile& tile) { MultiplySlicedTile<AmxDigits>(tile); }

void ReleaseAmx() {
  if (amx_configured_rows == 0) return;
  asm volatile("tilerelease");
  amx_configured_rows = 0;
}

}  // namespace embedding

#endif
