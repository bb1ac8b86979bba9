// Regex: the regular expressions by which tokenizers cut texts, matched in linear time.
//
// A match is that of Oniguruma, which the `tokenizers` library has: of those that begin leftmost
// the one that a backtracking matcher would find first. It is found without backtracking: a pattern
// is made into a deterministic automaton when it is loaded.
//
// Supported: literals and their escapes, classes (also nested, with && and ranges), \s \d \w \p{..}
// by general category or Han, groups, alternation, repetitions greedy, lazy, and possessive where
// that makes no difference, (?i) for ASCII, look-ahead at one character, $ and \z. Refused is what
// else there is, a pattern that can match nothing, and one that takes quadratic time, as "a+b" does
// on a text of a's.
//
// Thread-safety: immutable.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <string_view>
#include <vector>

#include "base/result.h"
#include "base/utf8.h"
#include "text/code_point_table.h"

namespace embedding {

class Regex {
 public:
  struct Match {
    size_t begin;
    size_t end;  // after `begin`
  };

  // Errors: kModelLoad, showing the pattern and saying what it has that is not supported.
  static Result<Regex> Compile(std::string_view pattern);

  // The first match at or after `position` (at a boundary) of `text`, which is valid UTF-8. The
  // time for all matches, each searched for from the end of the one before, is linear in the text.
  std::optional<Match> Find(std::string_view text, size_t position) const {
    while (position < text.size()) {
      const size_t end = MatchAt(text, position);
      if (end != kNoMatch) return Match{position, end};
      position += Utf8Length(static_cast<unsigned char>(text[position]));
    }
    return std::nullopt;
  }

 private:
  friend class RegexAutomatonBuilder;

  // An entry says where a state goes on with a class of characters: (offset of the next state's
  // entries << 1) | whether there is a match before that character. State 0 is the end of it.
  using Entry = uint32_t;
  static constexpr size_t kNoMatch = SIZE_MAX;

  explicit Regex(CodePointTable<uint8_t> class_of) : class_of_(std::move(class_of)) {
    for (char32_t c = 0; c < ascii_.size(); ++c) ascii_[c] = class_of_[c];
  }

  // The end of the match that begins at `begin`.
  size_t MatchAt(std::string_view text, size_t begin) const {
    size_t end = kNoMatch;
    size_t state = start_;
    for (size_t i = begin; i < text.size();) {
      const auto byte = static_cast<unsigned char>(text[i]);
      size_t size_bytes = 1;
      size_t character_class = 0;
      if (byte < 0x80) {
        character_class = ascii_[byte];
      } else {
        const CodePoint c = DecodeUtf8(text, i);
        size_bytes = c.size_bytes;
        character_class = class_of_[c.value];
      }
      const Entry entry = entries_[state + character_class];
      if ((entry & 1) != 0) end = i;
      state = entry >> 1;
      if (state == 0) return end;
      i += size_bytes;
    }
    return (entries_[state + end_class_] & 1) != 0 ? text.size() : end;
  }

  CodePointTable<uint8_t> class_of_;
  std::array<uint8_t, 0x80> ascii_;  // the same
  std::vector<Entry> entries_;
  size_t start_ = 0;
  size_t end_class_ = 0;  // that of the text's end
};

}  // namespace embedding
