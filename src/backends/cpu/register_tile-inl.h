// How large a block of sums the outer-product kernels keep in registers, once for each instruction
// set that Highway compiles for.

#if defined(EMBEDDING_REGISTER_TILE_INL_H_) == defined(HWY_TARGET_TOGGLE)
#ifdef EMBEDDING_REGISTER_TILE_INL_H_
#undef EMBEDDING_REGISTER_TILE_INL_H_
#else
#define EMBEDDING_REGISTER_TILE_INL_H_
#endif

#include <cstddef>

#include "hwy/highway.h"

// No function here, hence no HWY_BEFORE_NAMESPACE: clang warns of attributes for nothing.
namespace embedding {
namespace HWY_NAMESPACE {
namespace hn = hwy::HWY_NAMESPACE;

using D = hn::ScalableTag<float>;
using V = hn::Vec<D>;

// kTileRows x 2 sums, two vectors of the right side and one broadcast of the left must fit the
// registers: 32 with AVX-512 and NEON, 16 below. Eight sums at least are needed to hide the latency
// of a multiply-add. (12 rows with AVX-512 measured 4 % slower than 8.)
#if HWY_TARGET <= HWY_AVX3 || HWY_ARCH_ARM
constexpr size_t kTileRows = 8;
#else
constexpr size_t kTileRows = 6;
#endif

}  // namespace HWY_NAMESPACE
}  // namespace embedding

#endif  // EMBEDDING_REGISTER_TILE_INL_H_
