// The instructions are written as such: the compilers' functions for them differ, and GCC 12's for
// the configuration does not say that memory is read.

#include "backends/cpu/amx_tiles.h"

#if defined(__x86_64__)

#include <algorithm>
#include <cstdint>
#include <initializer_list>

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

// What this thread's tiles are configured for; 0 where they are not.
thread_local size_t configured_rows = 0;

struct AmxTiles {
  // Configuring takes as long as some steps, and is mostly what it was.
  static void Configure(size_t rows) {
    if (configured_rows == rows) return;
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
    configured_rows = rows;
  }
  template <int tile>
  static void Zero() {
    asm volatile("tilezero %%tmm%c0" : : "i"(tile));
  }
  template <int tile>
  static void Load(const uint8_t* from, size_t stride) {
    asm volatile("tileloadd (%0,%1,1), %%tmm%c2" : : "r"(from), "r"(stride), "i"(tile) : "memory");
  }
  template <int tile>
  static void LoadOnce(const uint8_t* from, size_t stride) {
    asm volatile("tileloaddt1 (%0,%1,1), %%tmm%c2"
                 :
                 : "r"(from), "r"(stride), "i"(tile)
                 : "memory");
  }
  template <int tile>
  static void Store(uint8_t* to, size_t stride) {
    asm volatile("tilestored %%tmm%c2, (%0,%1,1)" : : "r"(to), "r"(stride), "i"(tile) : "memory");
  }
};

struct Bf16Tiles : AmxTiles {
  template <int sums, int left, int right>
  static void Add() {
    asm volatile("tdpbf16ps %%tmm%c2, %%tmm%c1, %%tmm%c0" : : "i"(sums), "i"(left), "i"(right));
  }
};

struct Int8Tiles : AmxTiles {
  template <int sums, int left, int right>
  static void Add() {
    asm volatile("tdpbusd %%tmm%c2, %%tmm%c1, %%tmm%c0" : : "i"(sums), "i"(left), "i"(right));
  }
};

struct DigitTiles : AmxTiles {
  template <int sums, int left, int right>
  static void Add() {
    asm volatile("tdpbssd %%tmm%c2, %%tmm%c1, %%tmm%c0" : : "i"(sums), "i"(left), "i"(right));
  }
};

}  // namespace

void MultiplyBf16ByAmx(const PanelTile& tile) { MultiplyTiles<Bf16Tiles>(tile); }
void MultiplyInt8ByAmx(const PanelTile& tile) { MultiplyTiles<Int8Tiles>(tile); }
void MultiplyDigitsByAmx(const PanelTile& tile) { MultiplyTiles<DigitTiles>(tile); }

void ReleaseAmx() {
  if (configured_rows == 0) return;
  asm volatile("tilerelease");
  configured_rows = 0;
}

}  // namespace embedding

#endif
