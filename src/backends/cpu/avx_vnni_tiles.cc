#include "backends/cpu/x86_tiles.h"

#if defined(__AVXVNNI__)

#include "backends/cpu/x86_tiles-inl.h"

namespace embedding {
namespace {

constexpr size_t kVectors = 2;
static_assert(kVectors * 8 == kAvxVnniTileWidth);

struct Int8Quads {
  using Words = __m256i;
  using Sum = __m256i;
  static Words LoadWords(const uint8_t* from) {
    return _mm256_load_si256(reinterpret_cast<const __m256i*>(from));
  }
  static Words Spread(int32_t word) { return _mm256_set1_epi32(word); }
  static Sum Zero() { return _mm256_setzero_si256(); }
  static Sum Add(Sum sum, Words left, Words right) {
    return _mm256_dpbusd_avx_epi32(sum, left, right);
  }
  static Sum Load(const uint8_t* from) { return LoadWords(from); }
  static void Store(uint8_t* to, Sum sum) {
    _mm256_store_si256(reinterpret_cast<__m256i*>(to), sum);
  }
};

}  // namespace

void MultiplyInt8QuadsByAvxVnni(const PanelTile& tile) {
  MultiplyRows<Int8Quads, kAvxVnniTileRows, kVectors>(tile);
}

}  // namespace embedding

#endif
