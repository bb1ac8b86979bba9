#include "text/code_point_set.h"

#include <algorithm>
#include <array>
#include <cstddef>

#include "text/unicode.h"

namespace embedding {
namespace {

constexpr char32_t kLast = 0x10FFFF;

constexpr std::array<std::string_view, kCategories> kNames = {
    "Lu", "Ll", "Lt", "Lm", "Lo", "Mn", "Mc", "Me", "Nd", "Nl", "No", "Pc", "Pd", "Ps", "Pe",
    "Pi", "Pf", "Po", "Sm", "Sc", "Sk", "So", "Zs", "Zl", "Zp", "Cc", "Cf", "Co", "Cn"};

}  // namespace

std::optional<CodePointSet> CodePointSet::OfProperty(std::string_view name) {
  if (name == "Any") return CodePointSet(0, kLast);
  if (name == "Han") {
    return Of([](CharCategory properties) { return properties.is_han(); });
  }
  uint32_t wanted = 0;
  for (size_t i = 0; i < kNames.size(); ++i) {
    const bool is_group = name.size() == 1 && kNames[i].front() == name.front();
    if (is_group || kNames[i] == name) wanted |= 1U << i;
  }
  if (wanted == 0) return std::nullopt;
  return Of([wanted](CharCategory properties) {
    return ((wanted >> static_cast<int>(properties.category())) & 1) != 0;
  });
}

CodePointSet CodePointSet::Whitespace() {
  CodePointSet set;
  for (char32_t c = 0; c <= 0x3000; ++c) {
    if (IsWhitespace(c)) set.Add({c, c});
  }
  return set;
}

void CodePointSet::Add(const CodePointSet& other) {
  ranges_.insert(ranges_.end(), other.ranges_.begin(), other.ranges_.end());
  std::sort(ranges_.begin(), ranges_.end(),
            [](const Range& a, const Range& b) { return a.first < b.first; });
  size_t size = 0;
  for (const Range& range : ranges_) {
    if (size > 0 && range.first <= ranges_[size - 1].last + 1) {
      ranges_[size - 1].last = std::max(ranges_[size - 1].last, range.last);
    } else {
      ranges_[size++] = range;
    }
  }
  ranges_.resize(size);
}

CodePointSet CodePointSet::Complement() const {
  CodePointSet out;
  char32_t next = 0;
  for (const Range& range : ranges_) {
    if (next < range.first) out.ranges_.push_back({next, range.first - 1});
    next = range.last + 1;
  }
  if (next <= kLast) out.ranges_.push_back({next, kLast});
  return out;
}

CodePointSet CodePointSet::Intersect(const CodePointSet& other) const {
  CodePointSet either = Complement();
  either.Add(other.Complement());
  return either.Complement();
}

bool CodePointSet::Contains(char32_t c) const {
  const auto range =
      std::lower_bound(ranges_.begin(), ranges_.end(), c,
                       [](const Range& r, char32_t value) { return r.last < value; });
  return range != ranges_.end() && range->first <= c;
}

}  // namespace embedding
