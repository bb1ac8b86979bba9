// Linear: output = activation(input * weight^T + bias) with the weight packed once. Sums of
// floating-point numbers are f32, those of integers exact; both are rounded to the output's type at
// the end.
//
// Thread-safety: none; a product runs on the team that it was packed for, and which must outlive
// it.
#pragma once

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <span>

#include "backends/cpu/panel_tile.h"
#include "backends/cpu/parallel.h"
#include "base/half.h"
#include "model/heads.h"
#include "weights/tensor_store.h"

namespace embedding {

// What a product multiplies and writes. By `weight` and its input:
//   kF32, kBF16  both are
//   kF16         the input is f32, the weight alone is rounded
//   kI8          both are 8-bit integers with scales: the input's as InputMatrix makes them
// Of kF32, where the processor multiplies bytes by tiles, both are taken in slices (slices.h): the
// input's as InputMatrix makes them, or f32 numbers as they are.
struct LinearTypes {
  DType weight = DType::kF32;
  DType output = DType::kF32;  // kF32 or kBF16

  DType input() const { return weight == DType::kF16 ? DType::kF32 : weight; }
};

// Numbers x as integers q, x = (q - zero) * scale, with a scale and a zero for each row.
struct RowScale {
  float scale;
  int32_t zero;
};

// Rows lie one after another, or in the order of tiles: 64 bytes of 16 rows, the next 64 of these,
// and so on up to their end; then the next 16 rows. A processor loads a tile of bytes that lie
// together sooner than one of rows a power of two apart. This is where byte `byte` of row `row`
// lies then, rows having `stride` bytes, a multiple of 64.
constexpr size_t PlaceInTiles(size_t row, size_t byte, size_t stride) {
  const size_t in_block = row % kTileRows;
  return (row - in_block) * stride + byte / kTileRowBytes * (kTileRows * kTileRowBytes) +
         in_block * kTileRowBytes + byte % kTileRowBytes;
}

// A row's bytes in one order or the other, to be written.
struct RowBytes {
  uint8_t* first;
  size_t step = kTileRowBytes;  // bytes from kTileRowBytes of the row to the next

  // Those from `byte` on, which its kTileRowBytes follow.
  uint8_t* At(size_t byte) const {
    return first + byte / kTileRowBytes * step + byte % kTileRowBytes;
  }
  void Clear(size_t begin, size_t end) const {
    for (size_t byte = begin; byte < end;) {
      const size_t count = std::min(end, (byte / kTileRowBytes + 1) * kTileRowBytes) - byte;
      std::fill_n(At(byte), count, uint8_t{0});
      byte += count;
    }
  }
};

// A product's input, in somebody else's memory: rows of f32, of bf16, of 8-bit integers in words as
// Int8Kernel() takes them, or of f32 in slices as F32SlicesKernel() does.
struct InputView {
  InputView(const void* first_row, size_t row_count, size_t row_stride, const RowScale* row_scales,
            bool in_order_of_tiles = false)
      : data(first_row),
        rows(row_count),
        stride(row_stride),
        scales(row_scales),
        in_tiles(in_order_of_tiles) {}
  // A row-major, dense matrix of f32 or bf16.
  template <typename T>
  InputView(const T* numbers, size_t row_count, size_t columns)
      : InputView(numbers, row_count, columns * sizeof(T), nullptr) {}

  const void* data;
  size_t rows;
  size_t stride;           // bytes of a row, and from row to row unless in_tiles
  const RowScale* scales;  // [rows], of integers and slices
  bool in_tiles;           // `data` is that of 16 rows then
};

// A matrix of the output's type, [rows, columns], row-major and dense, or in the order of tiles.
struct OutputView {
  // Bytes of a row, without those between its parts where it is in tiles.
  template <typename T>
  size_t row_bytes() const {
    return columns * sizeof(T);
  }
  // The number at this place, which those up to the end of its 64 bytes follow.
  template <typename T>
  T* At(size_t row, size_t column) const {
    const size_t stride = row_bytes<T>();
    const size_t byte = column * sizeof(T);
    return reinterpret_cast<T*>(static_cast<uint8_t*>(data) +
                                (in_tiles ? PlaceInTiles(row, byte, stride) : row * stride + byte));
  }

  void* data = nullptr;
  size_t rows = 0;
  size_t columns = 0;
  bool in_tiles = false;
};

// A torch.nn.Linear's parameters: weight is [out_features, in_features] row-major, bias is
// [out_features] or empty.
struct LinearWeights {
  std::span<const float> weight;
  std::span<const float> bias;
  size_t in_features = 0;
  size_t out_features = 0;
};

class Linear {
 public:
  virtual ~Linear() = default;

  // input is [rows, in_features], output [rows, out_features], of the types that it was packed for;
  // rows >= 1; no overlap. A row's result does not depend on the other rows. `epilogue`, if it is
  // not empty, is given the output's rows, whole.
  virtual void Run(const InputView& input, const OutputView& output,
                   const RowEpilogue& epilogue) = 0;
};

// Packs the parameters, which are not kept, for products on `team`. The activation is fused into
// the product.
//
// Kernels of our own multiply (panel_product.h); f32 in a build with a BLAS, on a Mac Accelerate,
// that.
std::unique_ptr<Linear> PackLinear(ThreadTeam& team, LinearTypes types,
                                   const LinearWeights& weights, Activation activation);

// The same of a gated product, activation(x Wg^T + bg) * (x W1^T + b1), whose weight has the output
// features of the gate and then those of what is gated: the output has half as many.
std::unique_ptr<Linear> PackGatedLinear(ThreadTeam& team, LinearTypes types,
                                        const LinearWeights& weights, Activation activation);

}  // namespace embedding
