// A regular expression as a tree.
#pragma once

#include <cstddef>
#include <cstdint>
#include <string_view>
#include <vector>

#include "base/result.h"
#include "text/code_point_set.h"

namespace embedding {

struct RegexNode {
  enum class Kind : uint8_t {
    kSet,          // one character of `set`
    kLookahead,    // nothing, where the next is of `set`, or (at_end) where the text ends
    kSequence,     // of `children`; of none, nothing
    kAlternation,  // the first of `children` that leads to a match
    kRepeat,       // the one of `children`, `min` to `max` times
  };
  static constexpr uint32_t kUnbounded = UINT32_MAX;

  Kind kind = Kind::kSequence;
  CodePointSet set = {};
  bool at_end = false;
  uint32_t min = 0;
  uint32_t max = 0;
  bool is_lazy = false;        // rather fewer times
  bool is_possessive = false;  // as often as it goes, and never less
  std::vector<RegexNode> children = {};
};

// Whether the node can match nothing, and whether it does so wherever it is.
bool IsNullable(const RegexNode& node);
bool AlwaysMatchesNothing(const RegexNode& node);
// What a match that is not empty can begin with, and what a look-ahead wants.
CodePointSet FirstOf(const RegexNode& node);

// Reads what of Oniguruma's syntax for Ruby the patterns of tokenizers use. Errors: kModelLoad with
// what the pattern has that is not supported, to be read behind "it has".
Result<RegexNode> ParseRegex(std::string_view pattern);

}  // namespace embedding
