// CodePointSet: a set of code points, as the classes of regular expressions are.
#pragma once

#include <cstdint>
#include <optional>
#include <string_view>
#include <vector>

#include "text/categories.h"

namespace embedding {

class CodePointSet {
 public:
  struct Range {
    char32_t first;
    char32_t last;  // in the set too

    friend bool operator==(const Range&, const Range&) = default;
  };

  CodePointSet() = default;
  CodePointSet(char32_t first, char32_t last) : ranges_{{first, last}} {}

  // All that `test`, a function of CharCategory, is true of.
  template <typename Test>
  static CodePointSet Of(Test test);
  // What `\p{name}` is: a general category ("Lu"), one of their first letters ("L"), "Han" or
  // "Any"; nothing for a property that is not known here.
  static std::optional<CodePointSet> OfProperty(std::string_view name);
  // `\s`.
  static CodePointSet Whitespace();

  void Add(const CodePointSet& other);
  CodePointSet Complement() const;
  CodePointSet Intersect(const CodePointSet& other) const;

  bool empty() const { return ranges_.empty(); }
  bool Contains(char32_t c) const;
  // In order; no two touch.
  const std::vector<Range>& ranges() const { return ranges_; }

  friend bool operator==(const CodePointSet&, const CodePointSet&) = default;

 private:
  std::vector<Range> ranges_;
};

template <typename Test>
CodePointSet CodePointSet::Of(Test test) {
  const CodePointTable<CharCategory>& categories = Categories();
  CodePointSet set;
  for (char32_t c = 0; c <= 0x10FFFF; ++c) {
    if (!test(categories[c])) continue;
    if (!set.ranges_.empty() && set.ranges_.back().last + 1 == c) {
      set.ranges_.back().last = c;
    } else {
      set.ranges_.push_back({c, c});
    }
  }
  return set;
}

}  // namespace embedding
