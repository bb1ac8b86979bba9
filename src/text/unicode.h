// What the `tokenizers` library takes each code point for.
//
// The answers are those of the library (see make_unicode_tables.py), not of one Unicode version,
// and do not depend on the version of utf8proc: that is asked only for what Unicode guarantees
// never to change, the decompositions and combining classes of characters the library knows.
//
// Thread-safety: the tables are immutable; any thread may ask.
#pragma once

#include <array>
#include <compare>
#include <cstddef>
#include <cstdint>

#include "text/code_point_table.h"

namespace embedding {

// Grapheme_Cluster_Break with the classes of Indic conjuncts and emoji folded in. The order is that
// of CLASSES in make_unicode_tables.py.
enum class GraphemeClass : uint8_t {
  kOther,
  kCr,
  kLf,
  kControl,
  kExtend,     // extends, also within a conjunct
  kLinker,     // a virama: extends and joins two consonants
  kNonJoiner,  // U+200C: extends, but ends a conjunct
  kZwj,
  kSpacingMark,
  kPrepend,
  kRegionalIndicator,
  kHangulL,
  kHangulV,
  kHangulT,
  kHangulLv,
  kHangulLvt,
  kPictographic,
  kConsonant,
};

// The properties of one code point.
class CharProperties {
 public:
  CharProperties() = default;
  explicit constexpr CharProperties(uint16_t bits) : bits_(bits) {}

  constexpr GraphemeClass grapheme_class() const {
    return static_cast<GraphemeClass>(bits_ & 0x1F);
  }
  // BertNormalizer removes it: control, format, private use (but not U+0000, U+FFFD).
  constexpr bool is_other() const { return Has(0); }
  // BertPreTokenizer makes it a word of its own.
  constexpr bool is_punctuation() const { return Has(1); }
  // BertNormalizer strips it as an accent.
  constexpr bool is_nonspacing() const { return Has(2); }
  // StripAccents strips it.
  constexpr bool is_mark() const { return Has(3); }
  // `\w` of the library's regular expressions.
  constexpr bool is_word() const { return Has(4); }
  // Has a decomposition, or a combining class other than 0.
  constexpr bool is_unstable() const { return Has(5); }

  // clang-tidy 14 sees a pointer in the 0 that such a comparison is made of.
  // NOLINTNEXTLINE(modernize-use-nullptr)
  friend constexpr auto operator<=>(CharProperties, CharProperties) = default;

 private:
  constexpr bool Has(int flag) const { return ((bits_ >> (5 + flag)) & 1) != 0; }

  uint16_t bits_ = 0;
};

// The CharProperties of every code point.
class CharTable {
 public:
  static const CharTable& Get();

  CharProperties operator[](char32_t c) const { return table_[c]; }

 private:
  CharTable();

  CodePointTable<CharProperties> table_;
};

// White_Space: char::is_whitespace of Rust and `\s` of its regular expressions.
constexpr bool IsWhitespace(char32_t c) {
  if (c < 0x80) return c == ' ' || (c >= 0x09 && c <= 0x0D);
  return c == 0x85 || c == 0xA0 || c == 0x1680 || (c >= 0x2000 && c <= 0x200A) || c == 0x2028 ||
         c == 0x2029 || c == 0x202F || c == 0x205F || c == 0x3000;
}

// The lower case of c; two characters for U+0130 alone, where the second is `second`, else 0.
struct Lowered {
  char32_t first;
  char32_t second;
};
Lowered ToLower(char32_t c);

// Longest decomposition of one character (U+FDFA), in characters.
inline constexpr size_t kMaxDecomposition = 18;

struct Decomposition {
  std::array<char32_t, kMaxDecomposition> chars;
  size_t size;
};
// The full decomposition of c, c itself if it has none; with `compatible` that of NFKD, else NFD.
Decomposition Decompose(char32_t c, bool compatible);
// Canonical_Combining_Class.
uint8_t CombiningClass(char32_t c);
// The primary composite of a and b, or 0 if there is none.
char32_t Compose(char32_t a, char32_t b);

}  // namespace embedding
