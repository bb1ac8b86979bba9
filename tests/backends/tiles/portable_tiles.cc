#include "backends/tiles/portable_tiles.h"

#include <algorithm>
#include <array>
#include <cstdint>
#include <cstring>
#include <stdexcept>

#include "backends/cpu/tile_kernel-inl.h"
#include "base/half.h"

namespace embedding {
namespace {

constexpr size_t kWords = kTileRowBytes / 4;

struct Tile {
  size_t rows = 0;  // 0 where it is not configured
  uint8_t bytes[kTileRows][kTileRowBytes];
};
thread_local Tile tiles[8];

// As a processor does, which raises an exception for a tile that is not configured.
Tile& Configured(int tile) {
  if (tiles[tile].rows == 0) throw std::logic_error("the tile is not configured");
  return tiles[tile];
}

template <typename T>
using Row = std::array<T, kTileRowBytes / sizeof(T)>;
template <typename T>
Row<T> Get(const Tile& tile, size_t row) {
  Row<T> numbers;
  std::memcpy(numbers.data(), tile.bytes[row], kTileRowBytes);
  return numbers;
}
template <typename T>
void Put(Tile& tile, size_t row, const Row<T>& numbers) {
  std::memcpy(tile.bytes[row], numbers.data(), kTileRowBytes);
}

struct PortableTiles {
  static void Configure(size_t rows_of_both) {
    const size_t first = std::min(rows_of_both, kTileRows);
    const size_t second = rows_of_both - first;
    const size_t rows[8] = {first, first, second, second, first, second, kTileRows, kTileRows};
    for (size_t i = 0; i < 8; ++i) tiles[i].rows = rows[i];
  }
  template <int tile>
  static void Zero() {
    std::memset(Configured(tile).bytes, 0, sizeof(Tile::bytes));
  }
  template <int tile>
  static void Load(const uint8_t* from, size_t stride) {
    Tile& to = Configured(tile);
    for (size_t r = 0; r < to.rows; ++r) std::memcpy(to.bytes[r], from + r * stride, kTileRowBytes);
  }
  template <int tile>
  static void LoadOnce(const uint8_t* from, size_t stride) {
    Load<tile>(from, stride);
  }
  template <int tile>
  static void Store(uint8_t* to, size_t stride) {
    const Tile& from = Configured(tile);
    for (size_t r = 0; r < from.rows; ++r) {
      std::memcpy(to + r * stride, from.bytes[r], kTileRowBytes);
    }
  }
};

// The first of each pair of products are summed, and the second, and then both. A product of two
// bf16 is an f32, so that it is the same whether it is rounded before it is added.
struct Bf16Tiles : PortableTiles {
  template <int sums, int left, int right>
  static void Add() {
    const Tile& a = Configured(left);
    const Tile& b = Configured(right);
    float weights[2][kWords][kWords];
    for (size_t k = 0; k < kWords; ++k) {
      const Row<BFloat16> row = Get<BFloat16>(b, k);
      for (size_t c = 0; c < kWords; ++c) {
        for (size_t i = 0; i < 2; ++i) weights[i][k][c] = static_cast<float>(row[2 * c + i]);
      }
    }
    Tile& to = Configured(sums);
    for (size_t r = 0; r < to.rows; ++r) {
      const Row<BFloat16> row = Get<BFloat16>(a, r);
      float sum[2][kWords] = {};
      for (size_t k = 0; k < kWords; ++k) {
        for (size_t i = 0; i < 2; ++i) {
          const auto x = static_cast<float>(row[2 * k + i]);
          for (size_t c = 0; c < kWords; ++c) sum[i][c] += x * weights[i][k][c];
        }
      }
      Row<float> out = Get<float>(to, r);
      for (size_t c = 0; c < kWords; ++c) out[c] += sum[0][c] + sum[1][c];
      Put(to, r, out);
    }
  }
};

// Of unsigned or signed bytes by signed ones. A tile's sums are exact in f32, whose products every
// processor has many of at a time.
template <typename Left>
struct ByteTiles : PortableTiles {
  template <int sums, int left, int right>
  static void Add() {
    const Tile& a = Configured(left);
    const Tile& b = Configured(right);
    float weights[4 * kWords][kWords];
    for (size_t k = 0; k < kWords; ++k) {
      const Row<int8_t> row = Get<int8_t>(b, k);
      for (size_t c = 0; c < kWords; ++c) {
        for (size_t i = 0; i < 4; ++i) weights[4 * k + i][c] = row[4 * c + i];
      }
    }
    Tile& to = Configured(sums);
    for (size_t r = 0; r < to.rows; ++r) {
      const Row<Left> row = Get<Left>(a, r);
      float sum[kWords] = {};
      for (size_t k = 0; k < 4 * kWords; ++k) {
        const float x = row[k];
        for (size_t c = 0; c < kWords; ++c) sum[c] += x * weights[k][c];
      }
      Row<int32_t> out = Get<int32_t>(to, r);
      for (size_t c = 0; c < kWords; ++c) out[c] += static_cast<int32_t>(sum[c]);
      Put(to, r, out);
    }
  }
};

template <class Tiles>
void Multiply(const PanelTile& tile) {
  HWY_NAMESPACE::MultiplyTiles<Tiles>(tile, HWY_NAMESPACE::CallRows(tile.beside));
}

}  // namespace

void MultiplyBf16ByPortableTiles(const PanelTile& tile) { Multiply<Bf16Tiles>(tile); }
void MultiplyInt8ByPortableTiles(const PanelTile& tile) { Multiply<ByteTiles<uint8_t>>(tile); }
void MultiplyDigitsByPortableTiles(const PanelTile& tile) { Multiply<ByteTiles<int8_t>>(tile); }
void MultiplySlicedByPortableTiles(const SlicedTile& tile) {
  HWY_NAMESPACE::MultiplySlicedTile<ByteTiles<int8_t>>(tile);
}
void ReleasePortableTiles() {
  for (Tile& tile : tiles) tile = {};
}

}  // namespace embedding
