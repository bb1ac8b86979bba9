#include "backends/cpu/vnni_product.h"

#ifdef __AVX512VNNI__

#include <immintrin.h>

namespace embedding {
namespace {

template <size_t kRows>
void Product(const uint32_t* left, size_t left_stride, size_t depth, const uint8_t* right,
             int32_t* sums) {
  __m512i sum0[kRows];
  __m512i sum1[kRows];
  for (size_t r = 0; r < kRows; ++r) sum0[r] = sum1[r] = _mm512_setzero_si512();
  for (size_t i = 0; i < depth; ++i) {
    const __m512i right0 = _mm512_load_si512(right + 4 * i * kVnniPanel);
    const __m512i right1 = _mm512_load_si512(right + 4 * i * kVnniPanel + 2 * kVnniPanel);
    // The next panel: with few rows, panels come from memory.
    _mm_prefetch(right + 4 * (i + depth) * kVnniPanel, _MM_HINT_T1);
    _mm_prefetch(right + 4 * (i + depth) * kVnniPanel + 2 * kVnniPanel, _MM_HINT_T1);
    for (size_t r = 0; r < kRows; ++r) {
      const __m512i value = _mm512_set1_epi32(static_cast<int>(left[r * left_stride + i]));
      sum0[r] = _mm512_dpbusd_epi32(sum0[r], value, right0);
      sum1[r] = _mm512_dpbusd_epi32(sum1[r], value, right1);
    }
  }
  for (size_t r = 0; r < kRows; ++r) {
    _mm512_store_si512(sums + r * kVnniPanel, sum0[r]);
    _mm512_store_si512(sums + r * kVnniPanel + kVnniPanel / 2, sum1[r]);
  }
}

}  // namespace

bool HasAvx512Vnni() {
  return __builtin_cpu_supports("avx512f") != 0 && __builtin_cpu_supports("avx512vnni") != 0;
}

void VnniProduct(const uint32_t* left, size_t left_stride, size_t rows, size_t depth,
                 const uint8_t* right, int32_t* sums) {
  switch (rows) {
    case 1:
      return Product<1>(left, left_stride, depth, right, sums);
    case 2:
      return Product<2>(left, left_stride, depth, right, sums);
    case 3:
      return Product<3>(left, left_stride, depth, right, sums);
    case 4:
      return Product<4>(left, left_stride, depth, right, sums);
    case 5:
      return Product<5>(left, left_stride, depth, right, sums);
    case 6:
      return Product<6>(left, left_stride, depth, right, sums);
    case 7:
      return Product<7>(left, left_stride, depth, right, sums);
    default:
      return Product<kVnniRows>(left, left_stride, depth, right, sums);
  }
}

}  // namespace embedding

#else

namespace embedding {

bool HasAvx512Vnni() { return false; }
void VnniProduct(const uint32_t*, size_t, size_t, size_t, const uint8_t*, int32_t*) {}

}  // namespace embedding

#endif
