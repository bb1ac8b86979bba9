// The end of a tile, once for each instruction set that Highway compiles for.

#if defined(EMBEDDING_TILE_END_INL_H_) == defined(HWY_TARGET_TOGGLE)
#ifdef EMBEDDING_TILE_END_INL_H_
#undef EMBEDDING_TILE_END_INL_H_
#else
#define EMBEDDING_TILE_END_INL_H_
#endif

#include <algorithm>
#include <cassert>
#include <cstddef>
#include <cstdint>
#include <type_traits>

#include "backends/cpu/amx_tiles-inl.h"
#include "backends/cpu/elementwise-inl.h"
#include "backends/cpu/micro_kernels.h"
#include "backends/cpu/tile_end.h"
#include "backends/cpu/tile_kernel-inl.h"
#include "hwy/highway.h"

// Whether this is compiled for processors that may have AMX.
#undef EMBEDDING_MAY_HAVE_AMX
#define EMBEDDING_MAY_HAVE_AMX (HWY_ARCH_X86_64 && HWY_TARGET <= HWY_AVX3)

HWY_BEFORE_NAMESPACE();
namespace embedding {
namespace HWY_NAMESPACE {
namespace hn = hwy::HWY_NAMESPACE;

// `Numbers`, of a product: Numbers(end, c) has what the vector of columns from c on needs of all
// rows, and of a row makes numbers with the bias.
//
// `A`: an activation that the code is made for, or Activation where it asks.
template <class A>
HWY_INLINE A ActivationOf(const TileEnd& end) {
  if constexpr (std::is_same_v<A, Activation>) return end.columns.activation;
  return A();
}

// Writes `count` numbers, two vectors of them or less, as T.
template <class D, typename T>
HWY_INLINE void StoreSome(D d, hn::Vec<D> v0, hn::Vec<D> v1, size_t count, T* out) {
  if (HWY_LIKELY(count == 2 * hn::Lanes(d))) return StorePairFromF32(d, v0, v1, out);
  HWY_ALIGN T edge[2 * HWY_MAX_BYTES / sizeof(float)];
  StorePairFromF32(d, v0, v1, edge);
  std::copy_n(edge, count, out);
}

// Where a tile's rows go, from a column on.
template <typename T>
class RowPlaces {
 public:
  HWY_INLINE RowPlaces(const TilePlace& place, size_t column)
      : first_(place.output.At<T>(place.row, place.column + column)),
        row_bytes_(place.output.in_tiles ? kTileRowBytes : place.output.row_bytes<T>()),
        block_bytes_(
            place.output.in_tiles ? kTileRows * (place.output.row_bytes<T>() - kTileRowBytes) : 0) {
    assert(!place.output.in_tiles || place.row % kTileRows == 0);
  }

  HWY_INLINE T* At(size_t row) const {
    return reinterpret_cast<T*>(reinterpret_cast<uint8_t*>(first_) + row * row_bytes_ +
                                row / kTileRows * block_bytes_);
  }
  // For `count` numbers that will be written there. Rows that are far apart are not in the cache:
  // fetched ahead, a store does not hold up what is behind it.
  template <size_t count>
  HWY_INLINE void Fetch(size_t row) const {
    const auto* const first = reinterpret_cast<const uint8_t*>(At(row));
    for (size_t byte = 0; byte < count * sizeof(T); byte += kTileRowBytes) {
      __builtin_prefetch(first + byte, /*rw=*/1);
    }
  }

 private:
  T* first_;
  size_t row_bytes_;
  size_t block_bytes_;  // from the end of kTileRows rows to the next
};

// The end of rows in two vectors of columns. It is a copy of what it needs: a store might change
// what is elsewhere, for all that a compiler knows.
template <class Numbers, typename T, class A>
class PairEnd {
 public:
  HWY_INLINE PairEnd(const TileEnd& end, size_t column)
      : places_(end.place, column),
        first_(end, column),
        second_(end, column + kLanes < end.columns.width ? column + kLanes : column),
        activation_(ActivationOf<A>(end)),
        outputs_(std::min(2 * kLanes, end.columns.outputs - column)) {}

  HWY_INLINE void operator()(size_t row) const {
    const D d;
    StoreSome(d, Activate<T>(d, activation_, first_(row)),
              Activate<T>(d, activation_, second_(row)), outputs_, places_.At(row));
  }

 protected:
  using D = hn::ScalableTag<float>;
  static constexpr size_t kLanes = hn::MaxLanes(D());

  RowPlaces<T> places_;

 private:
  Numbers first_;
  Numbers second_;
  A activation_;
  size_t outputs_;
};

template <class Numbers, typename T, class A>
void RunEnd(const void* tile_end, size_t begin, size_t rows_end) {
  const auto& end = *static_cast<const TileEnd*>(tile_end);
  for (size_t c = 0; c < end.columns.outputs; c += 2 * hn::MaxLanes(hn::ScalableTag<float>())) {
    const PairEnd<Numbers, T, A> pair(end, c);
    for (size_t row = begin; row < rows_end; ++row) pair(row);
  }
}

template <class Numbers, typename T, class A>
void RunGatedEnd(const void* tile_end, size_t begin, size_t rows_end) {
  const hn::ScalableTag<float> d;
  const auto& end = *static_cast<const TileEnd*>(tile_end);
  const size_t width = end.columns.width;
  for (size_t row = begin; row < rows_end; ++row) {
    HWY_ALIGN float both[2 * kMaxPanelWidth];
    for (size_t c = 0; c < width; c += hn::Lanes(d)) hn::Store(Numbers(end, c)(row), d, both + c);
    hn::StoreU(hn::Zero(d), d, both + width);
    StoreGated(d, ActivationOf<A>(end), both, width / 2, end.columns.outputs,
               end.place.output.template At<T>(end.place.row + row, end.place.column));
  }
}

#if EMBEDDING_MAY_HAVE_AMX
// Between two products compilers load an activation's constants anew for each row, and loads are
// what tiles need: these are kept in registers.
class KeptGelu : public GeluOf16Bits<hn::ScalableTag<float>> {
 public:
  HWY_INLINE KeptGelu() {
    KeepAll(q0, q1, q2, q3, q4, q5, q6, q7);
    KeepAll(minus_one, half, one, scale);
  }

 private:
  static HWY_INLINE void Keep(V& vector) { asm("" : "+v"(vector.raw)); }
  template <class... Vs>
  static HWY_INLINE void KeepAll(Vs&... vectors) {
    (Keep(vectors), ...);
  }
};
template <typename T>
HWY_INLINE hn::Vec<hn::ScalableTag<float>> Activate(hn::ScalableTag<float> /*d*/,
                                                    const KeptGelu& gelu,
                                                    hn::Vec<hn::ScalableTag<float>> x) {
  return gelu(x);
}
template <typename T, class A>
struct Kept {
  using Type = A;
};
template <>
struct Kept<BFloat16, std::integral_constant<Activation, Activation::kGelu>> {
  using Type = KeptGelu;
};

constexpr size_t kRowsAhead = 8;  // that are fetched to be written

// The end of rows of a tile, whose columns are two vectors.
template <class Numbers, typename T, class A>
class WholeEnd : PairEnd<Numbers, T, A> {
  using Base = PairEnd<Numbers, T, A>;

 public:
  HWY_INLINE explicit WholeEnd(const TileEnd& end) : Base(end, 0) {
    assert(end.columns.width == 2 * Base::kLanes);
  }

  HWY_INLINE void operator()(size_t row) const {
    Base::places_.template Fetch<2 * Base::kLanes>(row + kRowsAhead);
    Base::operator()(row);
  }
};

// The same of a gated product: the first vector is the gate.
template <class Numbers, typename T, class A>
class GatedEnd {
 public:
  HWY_INLINE explicit GatedEnd(const TileEnd& end)
      : gate_(end, 0),
        gated_(end, kLanes),
        activation_(ActivationOf<A>(end)),
        places_(end.place, 0),
        outputs_(end.columns.outputs) {
    assert(end.columns.width == 2 * kLanes);
  }

  HWY_INLINE void operator()(size_t row) const {
    const D d;
    places_.template Fetch<kLanes>(row + kRowsAhead);
    T* const out = places_.At(row);
    const auto numbers = hn::Mul(Activate<T>(d, activation_, gate_(row)), gated_(row));
    if (HWY_LIKELY(outputs_ == kLanes)) return StoreFromF32(d, numbers, out);
    HWY_ALIGN T edge[HWY_MAX_BYTES / sizeof(float)];
    StoreFromF32(d, numbers, edge);
    std::copy_n(edge, outputs_, out);
  }

 private:
  using D = hn::ScalableTag<float>;
  static constexpr size_t kLanes = hn::MaxLanes(D());

  Numbers gate_;
  Numbers gated_;
  A activation_;
  RowPlaces<T> places_;
  size_t outputs_;
};

template <class Tiles, class Rows>
void MultiplyAndRun(const PanelTile& tile) {
  if (tile.beside.rows == 0) return Tiles::Multiply(tile);
  MultiplyTiles<Tiles>(tile, Rows(*static_cast<const TileEnd*>(tile.beside.work)));
}
#endif

template <class Numbers, class Tiles, typename T, class A>
TileEndFunctions EndFunctions(bool gated) {
  TileEndFunctions functions = {gated ? RunGatedEnd<Numbers, T, A> : RunEnd<Numbers, T, A>,
                                nullptr};
#if EMBEDDING_MAY_HAVE_AMX
  if constexpr (!std::is_same_v<A, Activation>) {
    using InPlace = typename Kept<T, A>::Type;
    functions.multiply_by_amx = gated ? MultiplyAndRun<Tiles, GatedEnd<Numbers, T, InPlace>>
                                      : MultiplyAndRun<Tiles, WholeEnd<Numbers, T, InPlace>>;
  }
#endif
  return functions;
}

// For the activations that most models have there is code of its own. `Tiles`: of amx_tiles-inl.h,
// what the product is multiplied by where there is AMX.
template <class Numbers, class Tiles, typename T>
TileEndFunctions EndFunctionsFor(Activation activation, bool gated) {
  switch (activation) {
    case Activation::kIdentity:
      return EndFunctions<Numbers, Tiles, T,
                          std::integral_constant<Activation, Activation::kIdentity>>(gated);
    case Activation::kGelu:
      return EndFunctions<Numbers, Tiles, T, std::integral_constant<Activation, Activation::kGelu>>(
          gated);
    case Activation::kSilu:
      return EndFunctions<Numbers, Tiles, T, std::integral_constant<Activation, Activation::kSilu>>(
          gated);
    default:
      return EndFunctions<Numbers, Tiles, T, Activation>(gated);
  }
}

// For outputs of `type`, kF32 or kBF16.
template <class Numbers, class Tiles>
TileEndFunctions EndFunctionsFor(DType type, Activation activation, bool gated) {
  return type == DType::kF32 ? EndFunctionsFor<Numbers, Tiles, float>(activation, gated)
                             : EndFunctionsFor<Numbers, Tiles, BFloat16>(activation, gated);
}

}  // namespace HWY_NAMESPACE
}  // namespace embedding
HWY_AFTER_NAMESPACE();

#endif  // EMBEDDING_TILE_END_INL_H_
