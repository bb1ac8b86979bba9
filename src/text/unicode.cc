#include "text/unicode.h"

#include <utf8proc.h>

#include <algorithm>
#include <iterator>

namespace embedding {
namespace {

// The step-th code points of first..last, each lowered by adding delta.
struct LowercaseRun {
  char32_t first;
  char32_t last;
  uint32_t step;
  int32_t delta;
};

#include "text/unicode_tables.inc"

}  // namespace

const CharTable& CharTable::Get() {
  static const CharTable table;
  return table;
}

CharTable::CharTable() : table_(ReadRuns<CharProperties>(kPropertyRuns, 11)) {}

Lowered ToLower(char32_t c) {
  if (c < 0x80) return {c >= 'A' && c <= 'Z' ? c + 32 : c, 0};
  if (c == 0x130) return {'i', 0x307};
  const LowercaseRun* run =
      std::lower_bound(std::begin(kLowercaseRuns), std::end(kLowercaseRuns), c,
                       [](const LowercaseRun& r, char32_t value) { return r.last < value; });
  if (run == std::end(kLowercaseRuns) || c < run->first || (c - run->first) % run->step != 0) {
    return {c, 0};
  }
  return {static_cast<char32_t>(static_cast<int32_t>(c) + run->delta), 0};
}

Decomposition Decompose(char32_t c, bool compatible) {
  Decomposition result = {{c}, 1};
  if (!CharTable::Get()[c].is_unstable()) return result;
  std::array<utf8proc_int32_t, kMaxDecomposition> buffer;
  int last_boundary_class = 0;
  const int options = UTF8PROC_DECOMPOSE | (compatible ? UTF8PROC_COMPAT : 0);
  const utf8proc_ssize_t size =
      utf8proc_decompose_char(static_cast<utf8proc_int32_t>(c), buffer.data(), buffer.size(),
                              static_cast<utf8proc_option_t>(options), &last_boundary_class);
  if (size < 1 || size > static_cast<utf8proc_ssize_t>(buffer.size())) return result;
  result.size = static_cast<size_t>(size);
  std::transform(buffer.begin(), buffer.begin() + size, result.chars.begin(),
                 [](utf8proc_int32_t value) { return static_cast<char32_t>(value); });
  return result;
}

uint8_t CombiningClass(char32_t c) {
  if (!CharTable::Get()[c].is_unstable()) return 0;
  return static_cast<uint8_t>(
      utf8proc_get_property(static_cast<utf8proc_int32_t>(c))->combining_class);
}

char32_t Compose(char32_t a, char32_t b) {
  // One before the first trailing consonant: utf8proc makes it vanish into the syllable before it.
  if (b == 0x11A7) return 0;
  std::array<utf8proc_int32_t, 3> pair = {static_cast<utf8proc_int32_t>(a),
                                          static_cast<utf8proc_int32_t>(b), 0};
  const int options = UTF8PROC_COMPOSE | UTF8PROC_STABLE;
  if (utf8proc_normalize_utf32(pair.data(), 2, static_cast<utf8proc_option_t>(options)) != 1) {
    return 0;
  }
  const char32_t composite = static_cast<char32_t>(pair[0]);
  return CharTable::Get()[composite].is_unstable() ? composite : 0;
}

}  // namespace embedding
