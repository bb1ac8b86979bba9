#include "backends/cpu/micro_kernels.h"

#include <algorithm>
#include <cstring>

#include "backends/cpu/arm_kernels.h"
#include "backends/cpu/slices.h"
#include "backends/cpu/x86_kernels.h"
#include "base/aligned_buffer.h"

#undef HWY_TARGET_INCLUDE
#define HWY_TARGET_INCLUDE "backends/cpu/micro_kernels.cc"
#include "hwy/foreach_target.h"  // IWYU pragma: keep

#include "hwy/highway.h"

#ifndef EMBEDDING_MICRO_KERNELS_ROWS
#define EMBEDDING_MICRO_KERNELS_ROWS
namespace embedding {
constexpr size_t kPortableRows = 6;
}  // namespace embedding
#endif

HWY_BEFORE_NAMESPACE();
namespace embedding {
namespace HWY_NAMESPACE {
namespace hn = hwy::HWY_NAMESPACE;

// The sums of a tile's rows, a word's vectors of weights and a broadcast must fit the registers: 32
// with AVX-512 and NEON, 16 below.
#if HWY_TARGET <= HWY_AVX3 || HWY_ARCH_ARM
constexpr size_t kVectors = 4;
#else
constexpr size_t kVectors = 2;
#endif
// Sums of pairs of 16-bit numbers take two registers each on processors that sum them apart.
constexpr size_t kPairVectors = 2;

HWY_INLINE void FetchAhead(const PanelTile& tile, size_t word) {
  const uint8_t* ahead = tile.ahead + word / kFetchInterval * tile.ahead_lines * kCacheLineBytes;
  for (size_t i = 0; i < tile.ahead_lines; ++i) {
    __builtin_prefetch(ahead + i * kCacheLineBytes, /*rw=*/0, /*locality=*/2);
  }
}

template <typename T>
HWY_INLINE T LeftWord(const uint8_t* left, size_t stride, size_t row, size_t word) {
  T value;
  std::memcpy(&value, left + row * stride + word * sizeof(T), sizeof(T));
  return value;
}

struct F32Tile {
  template <size_t rows>
  static HWY_INLINE void Multiply(const PanelTile& tile) {
    const hn::ScalableTag<float> d;
    const size_t lanes = hn::Lanes(d);
    const uint8_t* const left = tile.left;
    const size_t stride = tile.left_stride;
    const auto* HWY_RESTRICT right = reinterpret_cast<const float*>(tile.right);
    auto* HWY_RESTRICT out = reinterpret_cast<float*>(tile.sums);
    hn::Vec<decltype(d)> sums[rows][kVectors];
    EMBEDDING_UNROLL
    for (size_t r = 0; r < rows; ++r) {
      EMBEDDING_UNROLL
      for (size_t v = 0; v < kVectors; ++v) {
        const float* from = out + (r * kVectors + v) * lanes;
        sums[r][v] = tile.accumulate ? hn::Load(d, from) : hn::Zero(d);
      }
    }
    // Not a call: the sums would be in memory.
    const auto add = [&](size_t i) HWY_ATTR __attribute__((always_inline)) {
      hn::Vec<decltype(d)> weights[kVectors];
      EMBEDDING_UNROLL
      for (size_t v = 0; v < kVectors; ++v) {
        weights[v] = hn::Load(d, right + (i * kVectors + v) * lanes);
      }
      EMBEDDING_UNROLL
      for (size_t r = 0; r < rows; ++r) {
        const auto value = hn::Set(d, LeftWord<float>(left, stride, r, i));
        EMBEDDING_UNROLL
        for (size_t v = 0; v < kVectors; ++v) {
          sums[r][v] = hn::MulAdd(value, weights[v], sums[r][v]);
        }
#if HWY_ARCH_ARM
        EMBEDDING_LOAD_NO_FURTHER();
#endif
      }
    };
    // Not one by one: what a loop costs besides is a seventh of the instructions, which counts
    // where two threads share a core. (int8 is a fifth slower so.)
    size_t word = 0;
    for (; word + kFetchInterval <= tile.depth; word += kFetchInterval) {
      FetchAhead(tile, word);
      EMBEDDING_UNROLL
      for (size_t i = 0; i < kFetchInterval; ++i) add(word + i);
    }
    if (word < tile.depth) FetchAhead(tile, word);
    for (; word < tile.depth; ++word) add(word);
    EMBEDDING_UNROLL
    for (size_t r = 0; r < rows; ++r) {
      EMBEDDING_UNROLL
      for (size_t v = 0; v < kVectors; ++v) {
        hn::Store(sums[r][v], d, out + (r * kVectors + v) * lanes);
      }
    }
  }
};

struct Int16PairsTile {
  template <size_t rows>
  static HWY_INLINE void Multiply(const PanelTile& tile) {
    const hn::ScalableTag<int32_t> d;
    const hn::Repartition<int16_t, decltype(d)> d16;
    const hn::Rebind<int8_t, decltype(d16)> d8;
    const size_t lanes = hn::Lanes(d);
    const uint8_t* const left = tile.left;
    const size_t stride = tile.left_stride;
    const auto* HWY_RESTRICT right = reinterpret_cast<const int8_t*>(tile.right);
    auto* HWY_RESTRICT out = reinterpret_cast<int32_t*>(tile.sums);
    hn::Vec<decltype(d)> sums[rows][kPairVectors];
    // The second halves of products on processors that sum them apart.
    hn::Vec<decltype(d)> more[rows][kPairVectors];
    EMBEDDING_UNROLL
    for (size_t r = 0; r < rows; ++r) {
      EMBEDDING_UNROLL
      for (size_t v = 0; v < kPairVectors; ++v) sums[r][v] = more[r][v] = hn::Zero(d);
    }
    for (size_t first = 0; first < tile.depth; first += kFetchInterval) {
      FetchAhead(tile, first);
      const size_t end = std::min(first + kFetchInterval, tile.depth);
      for (size_t i = first; i < end; ++i) {
        hn::Vec<decltype(d16)> weights[kPairVectors];
        EMBEDDING_UNROLL
        for (size_t v = 0; v < kPairVectors; ++v) {
          weights[v] =
              hn::PromoteTo(d16, hn::LoadU(d8, right + (i * kPairVectors + v) * 2 * lanes));
        }
        EMBEDDING_UNROLL
        for (size_t r = 0; r < rows; ++r) {
          const auto value = hn::BitCast(d16, hn::Set(d, LeftWord<int32_t>(left, stride, r, i)));
          EMBEDDING_UNROLL
          for (size_t v = 0; v < kPairVectors; ++v) {
            sums[r][v] =
                hn::ReorderWidenMulAccumulate(d, value, weights[v], sums[r][v], more[r][v]);
          }
        }
      }
    }
    EMBEDDING_UNROLL
    for (size_t r = 0; r < rows; ++r) {
      EMBEDDING_UNROLL
      for (size_t v = 0; v < kPairVectors; ++v) {
        int32_t* to = out + (r * kPairVectors + v) * lanes;
        auto sum = hn::RearrangeToOddPlusEven(sums[r][v], more[r][v]);
        if (tile.accumulate) sum = hn::Add(sum, hn::Load(d, to));
        hn::Store(sum, d, to);
      }
    }
  }
};

template <class Tile, size_t rows = kPortableRows>
HWY_INLINE void MultiplyRows(const PanelTile& tile) {
  if (tile.rows == rows) return Tile::template Multiply<rows>(tile);
  if constexpr (rows > 1) MultiplyRows<Tile, rows - 1>(tile);
}

void MultiplyF32(const PanelTile& tile) { MultiplyRows<F32Tile>(tile); }
void MultiplyInt16Pairs(const PanelTile& tile) { MultiplyRows<Int16PairsTile>(tile); }

size_t F32Width() { return kVectors * hn::Lanes(hn::ScalableTag<float>()); }
size_t Int16PairsWidth() { return kPairVectors * hn::Lanes(hn::ScalableTag<int32_t>()); }

void WidenF16(const uint8_t* stored, size_t words, uint8_t* to) {
  const hn::ScalableTag<float> d;
  const hn::Rebind<hwy::float16_t, decltype(d)> d16;
  const auto* HWY_RESTRICT from = reinterpret_cast<const hwy::float16_t*>(stored);
  auto* HWY_RESTRICT out = reinterpret_cast<float*>(to);
  for (size_t i = 0; i < words; i += hn::Lanes(d)) {
    hn::Store(hn::PromoteTo(d, hn::Load(d16, from + i)), d, out + i);
  }
}

}  // namespace HWY_NAMESPACE
}  // namespace embedding
HWY_AFTER_NAMESPACE();

#if HWY_ONCE
namespace embedding {

HWY_EXPORT(MultiplyF32);
HWY_EXPORT(MultiplyInt16Pairs);
HWY_EXPORT(F32Width);
HWY_EXPORT(Int16PairsWidth);
HWY_EXPORT(WidenF16);

MicroKernel F32Kernel() {
  return {.group = 1,
          .width = HWY_DYNAMIC_DISPATCH(F32Width)(),
          .rows = kPortableRows,
          .multiply = HWY_DYNAMIC_DISPATCH(MultiplyF32)};
}

MicroKernel F16Kernel() {
  MicroKernel kernel = F32Kernel();
  kernel.stored_bytes = 2;
  kernel.depth_block = 256;  // of f32, 16 KB of a panel of 16: the copy that is widened stays near
  kernel.widen = HWY_DYNAMIC_DISPATCH(WidenF16);
  return kernel;
}

namespace {

const TileKernels* kernels_for_test = nullptr;

}  // namespace

void SetTileKernelsForTest(const TileKernels* kernels) { kernels_for_test = kernels; }

std::optional<MicroKernel> Bf16PairsKernel() {
  if (kernels_for_test != nullptr) return kernels_for_test->bf16;
  if (const auto arm = ArmBf16PairsKernel()) return arm;
  return X86Bf16Kernel();
}

std::optional<MicroKernel> Bf16Kernel() {
  if (kernels_for_test != nullptr) return kernels_for_test->bf16;
  if (const auto arm = ArmBf16Kernel()) return arm;
  return X86Bf16Kernel();
}

MicroKernel Int8Kernel() {
  if (kernels_for_test != nullptr) return kernels_for_test->int8;
  if (const auto arm = ArmInt8Kernel()) return *arm;
  if (const auto x86 = X86Int8Kernel()) return *x86;
  // AVX2's multiply-add of pairs of bytes saturates at 16 bits, so bytes are widened first.
  return {.group = 2,
          .width = HWY_DYNAMIC_DISPATCH(Int16PairsWidth)(),
          .rows = kPortableRows,
          .multiply = HWY_DYNAMIC_DISPATCH(MultiplyInt16Pairs),
          .stored_bytes = 2};
}

std::optional<MicroKernel> F32SlicesKernel(size_t in_features) {
  if (in_features == 1 || in_features > kMostSlicedFeatures) return std::nullopt;
  if (kernels_for_test != nullptr) return kernels_for_test->slices;
#if defined(EMBEDDING_BLAS)
  return std::nullopt;  // that multiplies f32
#else
  return X86F32SlicesKernel();
#endif
}

}  // namespace embedding
#endif  // HWY_ONCE
