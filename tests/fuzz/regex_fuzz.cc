// Regular expressions of tokenizers, and the texts that they cut. The input is a pattern, a NUL and
// a text. What is not refused finds what a backtracking matcher does.
#include <cstddef>
#include <cstdint>
#include <functional>
#include <string_view>
#include <vector>

#include "fuzz/check.h"
#include "text/regex.h"
#include "text/regex_parser.h"

namespace embedding {
namespace {

// Tries one way after the other, in the order that a pattern prefers, up to so many steps.
class Backtracker {
 public:
  using Then = std::function<bool(size_t)>;

  explicit Backtracker(std::string_view text) {
    for (size_t i = 0; i < text.size();) {
      const CodePoint c = DecodeUtf8(text, i);
      characters_.push_back(c.value);
      offsets_.push_back(i);
      i += c.size_bytes;
    }
    offsets_.push_back(text.size());
  }

  size_t size() const { return characters_.size(); }
  size_t OffsetOf(size_t character) const { return offsets_[character]; }
  bool gave_up() const { return steps_ > kMaxSteps; }

  // Whether `node` matches from `at` on, and `then` from there.
  bool Match(const RegexNode& node, size_t at, const Then& then) {
    if (++steps_ > kMaxSteps) return false;
    switch (node.kind) {
      case RegexNode::Kind::kSet:
        return Has(node, at) && then(at + 1);
      case RegexNode::Kind::kLookahead:
        return (at == size() ? node.at_end : Has(node, at)) && then(at);
      case RegexNode::Kind::kSequence:
        return MatchFrom(node, 0, at, then);
      case RegexNode::Kind::kAlternation:
        for (const RegexNode& child : node.children) {
          if (Match(child, at, then)) return true;
        }
        return false;
      case RegexNode::Kind::kRepeat:
        return node.is_possessive ? MatchAll(node, at, then) : MatchAgain(node, 0, at, then);
    }
    return false;
  }

 private:
  static constexpr int kMaxSteps = 20000;

  bool Has(const RegexNode& node, size_t at) const {
    return at < size() && node.set.Contains(characters_[at]);
  }

  bool MatchFrom(const RegexNode& sequence, size_t child, size_t at, const Then& then) {
    if (child == sequence.children.size()) return then(at);
    return Match(sequence.children[child], at,
                 [&, child](size_t end) { return MatchFrom(sequence, child + 1, end, then); });
  }

  bool MatchAgain(const RegexNode& repeat, uint32_t count, size_t at, const Then& then) {
    const auto once_more = [&] {
      return count < repeat.max && Match(repeat.children.front(), at, [&, count](size_t end) {
               return MatchAgain(repeat, count + 1, end, then);
             });
    };
    if (count < repeat.min) return once_more();
    return repeat.is_lazy ? then(at) || once_more() : once_more() || then(at);
  }

  bool MatchAll(const RegexNode& repeat, size_t at, const Then& then) {
    uint32_t count = 0;
    for (; count < repeat.max && Has(repeat.children.front(), at); ++count) ++at;
    return count >= repeat.min && then(at);
  }

  std::vector<char32_t> characters_;
  std::vector<size_t> offsets_;
  int steps_ = 0;
};

void CheckMatches(const Regex& regex, const RegexNode& root, std::string_view text) {
  Backtracker backtracker(text);
  size_t at = 0;
  for (size_t position = 0;;) {
    const auto match = regex.Find(text, position);
    size_t end = 0;
    while (at < backtracker.size() && !backtracker.Match(root, at, [&](size_t found) {
      end = found;
      return true;
    })) {
      ++at;
    }
    if (backtracker.gave_up()) return;
    FUZZ_CHECK(match.has_value() == (at < backtracker.size()));
    if (!match) return;
    FUZZ_CHECK(match->begin < match->end);
    FUZZ_CHECK(match->begin == backtracker.OffsetOf(at));
    FUZZ_CHECK(match->end == backtracker.OffsetOf(end));
    position = match->end;
    at = end;
  }
}

}  // namespace
}  // namespace embedding

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  using namespace embedding;
  std::string_view text = AsString(data, size);
  text = text.substr(0, FindInvalidUtf8(text));
  const std::string_view pattern = TakePart(text, '\0');
  const Result<Regex> regex = Regex::Compile(pattern);
  if (!regex.ok()) {
    CheckModelError(regex.error());
    return 0;
  }
  const Result<RegexNode> root = ParseRegex(pattern);
  FUZZ_CHECK(root.ok());
  CheckMatches(*regex, *root, text.substr(0, 200));
  return 0;
}
