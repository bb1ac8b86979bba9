#include "backends/cpu/bf16_outer_product.h"

#ifdef __AVX512BF16__

#include <immintrin.h>

namespace embedding {
namespace {

__m512bh AsPairs(__m512i v) { return reinterpret_cast<__m512bh>(v); }

}  // namespace

bool HasAvx512Bf16() {
  return __builtin_cpu_supports("avx512f") != 0 && __builtin_cpu_supports("avx512bf16") != 0;
}

void Bf16OuterProduct(const uint32_t* const* left, size_t depth, const uint32_t* right,
                      size_t right_stride, float* out, size_t out_stride, bool accumulate) {
  __m512 sum0[kBf16Rows];
  __m512 sum1[kBf16Rows];
  for (size_t r = 0; r < kBf16Rows; ++r) {
    sum0[r] = accumulate ? _mm512_loadu_ps(out + r * out_stride) : _mm512_setzero_ps();
    sum1[r] = accumulate ? _mm512_loadu_ps(out + r * out_stride + 16) : _mm512_setzero_ps();
  }
  for (size_t i = 0; i < depth; ++i) {
    const __m512bh right0 = AsPairs(_mm512_loadu_si512(right + i * right_stride));
    const __m512bh right1 = AsPairs(_mm512_loadu_si512(right + i * right_stride + 16));
    for (size_t r = 0; r < kBf16Rows; ++r) {
      const __m512bh value = AsPairs(_mm512_set1_epi32(static_cast<int>(left[r][i])));
      sum0[r] = _mm512_dpbf16_ps(sum0[r], value, right0);
      sum1[r] = _mm512_dpbf16_ps(sum1[r], value, right1);
    }
  }
  for (size_t r = 0; r < kBf16Rows; ++r) {
    _mm512_storeu_ps(out + r * out_stride, sum0[r]);
    _mm512_storeu_ps(out + r * out_stride + 16, sum1[r]);
  }
}

void RoundToBf16(const float* in, size_t size, uint16_t* out) {
  for (size_t i = 0; i < size; i += 32) {
    const __m512bh pairs =
        _mm512_cvtne2ps_pbh(_mm512_loadu_ps(in + i + 16), _mm512_loadu_ps(in + i));
    _mm512_storeu_si512(out + i, reinterpret_cast<__m512i>(pairs));
  }
}

}  // namespace embedding

#else

namespace embedding {

bool HasAvx512Bf16() { return false; }
void Bf16OuterProduct(const uint32_t* const*, size_t, const uint32_t*, size_t, float*, size_t,
                      bool) {}
void RoundToBf16(const float*, size_t, uint16_t*) {}

}  // namespace embedding

#endif
