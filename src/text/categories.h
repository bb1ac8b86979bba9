// General categories and scripts, as the `tokenizers` library has them.
//
// They are what its regular expressions (Oniguruma), Digits and UnicodeScripts go by, which follow
// other versions of Unicode than what unicode.h has (see make_category_tables.py).
//
// Thread-safety: the tables are immutable; any thread may ask.
#pragma once

#include <compare>
#include <cstdint>
#include <vector>

#include "text/code_point_table.h"

namespace embedding {

// The order is that of CATEGORIES in make_category_tables.py.
enum class Category : uint8_t {
  kLu,
  kLl,
  kLt,
  kLm,
  kLo,
  kMn,
  kMc,
  kMe,
  kNd,
  kNl,
  kNo,
  kPc,
  kPd,
  kPs,
  kPe,
  kPi,
  kPf,
  kPo,
  kSm,
  kSc,
  kSk,
  kSo,
  kZs,
  kZl,
  kZp,
  kCc,
  kCf,
  kCo,
  kCn,
};
inline constexpr int kCategories = 29;

class CharCategory {
 public:
  CharCategory() = default;
  explicit constexpr CharCategory(uint16_t bits) : bits_(bits) {}

  constexpr Category category() const { return static_cast<Category>(bits_ & 0x1F); }
  // char::is_numeric of Rust: Nd, Nl and No of a newer Unicode than the categories'.
  constexpr bool is_numeric() const { return Has(0); }
  // `\w` (outside of classes) and `\p{Han}` of Oniguruma.
  constexpr bool is_word() const { return Has(1); }
  constexpr bool is_han() const { return Has(2); }
  // NFC, NFKC leave the character as it is whatever stands around it, and nothing composes with
  // what is before it: a normal form of a text is that of its parts from one such character to the
  // next.
  constexpr bool is_nfc_inert() const { return Has(3); }
  constexpr bool is_nfkc_inert() const { return Has(4); }

  // clang-tidy 14 sees a pointer in the 0 that such a comparison is made of.
  // NOLINTNEXTLINE(modernize-use-nullptr)
  friend constexpr auto operator<=>(CharCategory, CharCategory) = default;

 private:
  constexpr bool Has(int flag) const { return ((bits_ >> (5 + flag)) & 1) != 0; }

  uint16_t bits_ = 0;
};

// The CharCategory of every code point, and where it changes.
const CodePointTable<CharCategory>& Categories();
const std::vector<CodePointRun<CharCategory>>& CategoryRuns();

// Equal for characters that UnicodeScripts does not cut apart; 0 is cut from nothing.
uint8_t ScriptOf(char32_t c);

}  // namespace embedding
