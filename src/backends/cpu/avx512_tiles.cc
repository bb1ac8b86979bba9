#include "backends/cpu/x86_tiles.h"

#if defined(__AVX512BF16__) && defined(__AVX512VNNI__)

#include "backends/cpu/x86_tiles-inl.h"

namespace embedding {
namespace {

constexpr size_t kVectors = 4;
static_assert(kVectors * 16 == kAvx512TileWidth);

struct Words512 {
  using Words = __m512i;
  static Words LoadWords(const uint8_t* from) { return _mm512_load_si512(from); }
  static Words Spread(int32_t word) { return _mm512_set1_epi32(word); }
};

struct Bf16Pairs : Words512 {
  using Sum = __m512;
  static Sum Zero() { return _mm512_setzero_ps(); }
  static Sum Add(Sum sum, Words left, Words right) {
    return _mm512_dpbf16_ps(sum, reinterpret_cast<__m512bh>(left),
                            reinterpret_cast<__m512bh>(right));
  }
  static Sum Load(const uint8_t* from) { return _mm512_load_ps(from); }
  static void Store(uint8_t* to, Sum sum) { _mm512_store_ps(to, sum); }
};

struct Int8Quads : Words512 {
  using Sum = __m512i;
  static Sum Zero() { return _mm512_setzero_si512(); }
  static Sum Add(Sum sum, Words left, Words right) { return _mm512_dpbusd_epi32(sum, left, right); }
  static Sum Load(const uint8_t* from) { return _mm512_load_si512(from); }
  static void Store(uint8_t* to, Sum sum) { _mm512_store_si512(to, sum); }
};

}  // namespace

void MultiplyBf16Pairs(const PanelTile& tile) {
  MultiplyRows<Bf16Pairs, kAvx512TileRows, kVectors>(tile);
}
void MultiplyInt8Quads(const PanelTile& tile) {
  MultiplyRows<Int8Quads, kAvx512TileRows, kVectors>(tile);
}
void RoundToBf16ByAvx512(const float* in, size_t size, uint16_t* out) {
  for (size_t i = 0; i < size; i += 32) {
    const __m512bh pairs =
        _mm512_cvtne2ps_pbh(_mm512_loadu_ps(in + i + 16), _mm512_loadu_ps(in + i));
    _mm512_storeu_si512(out + i, reinterpret_cast<__m512i>(pairs));
  }
}

}  // namespace embedding

#endif
