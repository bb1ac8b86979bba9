// CodePointSet: a set of code points, as the classes of regular expressions are.
#pragma once

#include <cstddef>
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
  const auto& runs = CategoryRuns();
  CodePointSet set;
  for (size_t i = 0; i < runs.size(); ++i) {
    if (!test(runs[i].value)) continue;
    const char32_t last = i + 1 < runs.size() ? runs[i + 1].first - 1 : 0x10FFFF;
    if (!set.ranges_.empty() && set.ranges_.back().last + 1 == runs[i].first) {
      set.ranges_.back().last = last;
    } else {
      set.ranges_.push_back({runs[i].first, last});
    }
  }
  return set;
}

}  // namespace embedding
