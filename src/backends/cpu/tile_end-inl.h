// The end of a tile, once for each instruction set that Highway compiles for.

#if defined(EMBEDDING_TILE_END_INL_H_) == defined(HWY_TARGET_TOGGLE)
#ifdef EMBEDDING_TILE_END_INL_H_
#undef EMBEDDING_TILE_END_INL_H_
#else
#define EMBEDDING_TILE_END_INL_H_
#endif

#include <algorithm>
#include <type_traits>

#include "backends/cpu/elementwise-inl.h"
#include "backends/cpu/micro_kernels.h"
#include "backends/cpu/tile_columns.h"
#include "hwy/highway.h"

HWY_BEFORE_NAMESPACE();
namespace embedding {
namespace HWY_NAMESPACE {
namespace hn = hwy::HWY_NAMESPACE;

// Writes activation(number), or of the gate's half times the other half, as T: numbers_at(c) holds
// what the vector of columns from c on has for all rows, and gives a row's numbers with the bias.
template <typename T, class A, class NumbersAt>
HWY_INLINE void StoreTileBy(A activation, const TileColumns& columns, size_t rows,
                            const TilePlace& place, const NumbersAt& numbers_at) {
  const hn::ScalableTag<float> d;
  const size_t lanes = hn::Lanes(d);
  // Copies: a store might change what is elsewhere, for all that a compiler knows.
  const size_t width = columns.width;
  const size_t outputs = columns.outputs;
  const auto out_at = [at = place](size_t row) {
    return at.output.template At<T>(at.row + row, at.column);
  };
  if (columns.gated) {
    for (size_t row = 0; row < rows; ++row) {
      HWY_ALIGN float both[2 * kMaxPanelWidth];
      for (size_t c = 0; c < width; c += lanes) hn::Store(numbers_at(c)(row), d, both + c);
      hn::StoreU(hn::Zero(d), d, both + width);
      StoreGated(d, activation, both, width / 2, outputs, out_at(row));
    }
    return;
  }
  for (size_t c = 0; c < outputs; c += 2 * lanes) {  // two vectors at a time
    const bool whole = c + 2 * lanes <= outputs;
    const auto first = numbers_at(c);
    const auto second = numbers_at(c + lanes < width ? c + lanes : c);  // or it is not written
    for (size_t row = 0; row < rows; ++row) {
      T* const out = out_at(row) + c;
      HWY_ALIGN T edge[2 * HWY_MAX_BYTES / sizeof(float)];
      StorePairFromF32(d, Activate<T>(d, activation, first(row)),
                       Activate<T>(d, activation, second(row)), whole ? out : edge);
      if (!whole) std::copy_n(edge, outputs - c, out);
    }
  }
}

// The same by code of its own for the activations that most models have.
template <typename T, class NumbersAt>
HWY_INLINE void StoreTile(const TileColumns& columns, size_t rows, const TilePlace& place,
                          const NumbersAt& numbers_at) {
  const auto store = [&](auto activation)
                         HWY_ATTR { StoreTileBy<T>(activation, columns, rows, place, numbers_at); };
  switch (columns.activation) {
    case Activation::kIdentity:
      return store(std::integral_constant<Activation, Activation::kIdentity>());
    case Activation::kGelu:
      return store(std::integral_constant<Activation, Activation::kGelu>());
    case Activation::kSilu:
      return store(std::integral_constant<Activation, Activation::kSilu>());
    default:
      return store(columns.activation);
  }
}

}  // namespace HWY_NAMESPACE
}  // namespace embedding
HWY_AFTER_NAMESPACE();

#endif  // EMBEDDING_TILE_END_INL_H_
