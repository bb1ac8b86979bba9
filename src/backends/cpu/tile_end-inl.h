// The end of a tile, once for each instruction set that Highway compiles for.

#if defined(EMBEDDING_TILE_END_INL_H_) == defined(HWY_TARGET_TOGGLE)
#ifdef EMBEDDING_TILE_END_INL_H_
#undef EMBEDDING_TILE_END_INL_H_
#else
#define EMBEDDING_TILE_END_INL_H_
#endif

#include <algorithm>

#include "backends/cpu/elementwise-inl.h"
#include "backends/cpu/micro_kernels.h"
#include "backends/cpu/tile_columns.h"
#include "hwy/highway.h"

HWY_BEFORE_NAMESPACE();
namespace embedding {
namespace HWY_NAMESPACE {
namespace hn = hwy::HWY_NAMESPACE;

// Writes activation(number), or of the gate's half times the other half, as T: number(row, column)
// is a vector of a tile's numbers with the bias.
template <typename T, class Number>
HWY_INLINE void StoreTile(const TileColumns& columns, size_t rows, const TilePlace& place,
                          const Number& number) {
  const hn::ScalableTag<float> d;
  const size_t lanes = hn::Lanes(d);
  const size_t width = columns.width;
  if (columns.gated) {
    for (size_t row = 0; row < rows; ++row) {
      HWY_ALIGN float both[2 * kMaxPanelWidth];
      for (size_t c = 0; c < width; c += lanes) hn::Store(number(row, c), d, both + c);
      hn::StoreU(hn::Zero(d), d, both + width);
      StoreGated(d, columns.activation, both, width / 2, columns.outputs,
                 place.output.At<T>(place.row + row, place.column));
    }
    return;
  }
  // Two vectors of a column at a time, of all rows: what is the column's is loaded once.
  for (size_t c = 0; c < columns.outputs; c += 2 * lanes) {
    const bool whole = c + 2 * lanes <= columns.outputs;
    const size_t second = c + lanes < width ? c + lanes : c;  // which is not written then
    for (size_t row = 0; row < rows; ++row) {
      T* HWY_RESTRICT out = place.output.At<T>(place.row + row, place.column) + c;
      HWY_ALIGN T edge[2 * HWY_MAX_BYTES / sizeof(float)];
      StorePairFromF32(d, Activate<T>(d, columns.activation, number(row, c)),
                       Activate<T>(d, columns.activation, number(row, second)), whole ? out : edge);
      if (!whole) std::copy_n(edge, columns.outputs - c, out);
    }
  }
}

}  // namespace HWY_NAMESPACE
}  // namespace embedding
HWY_AFTER_NAMESPACE();

#endif  // EMBEDDING_TILE_END_INL_H_
