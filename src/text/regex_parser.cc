#include "text/regex_parser.h"

#include <algorithm>
#include <optional>
#include <span>
#include <string>
#include <utility>

#include "text/regex_sets.h"

namespace embedding {
namespace {

using Kind = RegexNode::Kind;

constexpr int kMaxDepth = 32;
// Real patterns have up to 800 bytes, and six possessive repetitions.
constexpr size_t kMaxPattern = 2048;
constexpr int kMaxPossessive = 16;
// Of {n,m}. Real patterns have up to 3.
constexpr uint32_t kMaxCount = 255;

RegexNode Set(CodePointSet set) { return {.kind = Kind::kSet, .set = std::move(set)}; }

// Two characters of ASCII that are one of another case: with (?i) "ss" matches U+00DF too.
bool HasLigature(char32_t a, char32_t b) {
  const char32_t first = a | 0x20;
  const char32_t second = b | 0x20;
  return (first == 's' && (second == 's' || second == 't')) ||
         (first == 'f' && (second == 'f' || second == 'i' || second == 'l'));
}

class RegexParser {
 public:
  explicit RegexParser(std::string_view pattern) : input_(pattern) {}

  Result<RegexNode> Parse() {
    ASSIGN_OR_RETURN(RegexNode root, ParseAlternation(input_.Skip("(?i)"), 0));
    if (!input_.at_end()) return RegexUnsupported("a ) without (");
    return root;
  }

 private:
  Result<RegexNode> ParseAlternation(bool ignore_case, int depth) {
    if (depth == kMaxDepth) return RegexUnsupported("groups nested too deeply");
    RegexNode alternation = {.kind = Kind::kAlternation};
    do {
      ASSIGN_OR_RETURN(alternation.children.emplace_back(), ParseSequence(ignore_case, depth));
    } while (input_.Skip("|"));
    if (alternation.children.size() > 1) return alternation;
    RegexNode only = std::move(alternation.children.front());
    return only;
  }

  Result<RegexNode> ParseSequence(bool ignore_case, int depth) {
    RegexNode sequence = {.kind = Kind::kSequence};
    literal_.reset();
    while (!input_.at_end() && !input_.StartsWith("|") && !input_.StartsWith(")")) {
      ASSIGN_OR_RETURN(RegexNode atom, ParseAtom(ignore_case, depth));
      ASSIGN_OR_RETURN(sequence.children.emplace_back(), ParseQuantifier(std::move(atom)));
    }
    literal_.reset();
    return sequence;
  }

  Result<RegexNode> ParseAtom(bool ignore_case, int depth) {
    const std::optional<char32_t> before = std::exchange(literal_, std::nullopt);
    if (input_.Skip("(")) return ParseGroup(ignore_case, depth);
    if (input_.Skip("[")) {
      ASSIGN_OR_RETURN(CodePointSet set, input_.ParseClass(ignore_case));
      return Set(std::move(set));
    }
    if (input_.Skip("\\z")) return RegexNode{.kind = Kind::kLookahead, .at_end = true};
    if (input_.Skip("\\")) {
      ASSIGN_OR_RETURN(CodePointSet set, input_.ParseEscape(ignore_case));
      return Set(std::move(set));
    }
    if (input_.Skip(".")) return Set(CodePointSet('\n', '\n').Complement());
    if (input_.Skip("$")) {
      return RegexNode{.kind = Kind::kLookahead, .set = {'\n', '\n'}, .at_end = true};
    }
    for (const std::string_view special : {"^", "*", "+", "?", "{", "}", "]"}) {
      if (input_.StartsWith(special)) return RegexUnsupported(std::string(special) + " there");
    }
    const char32_t c = input_.TakeCharacter();
    if (ignore_case && before && HasLigature(*before, c)) {
      return RegexUnsupported("(?i) with two letters of which there is a ligature");
    }
    literal_ = c;
    ASSIGN_OR_RETURN(CodePointSet set, RegexSetParser::Literal(c, ignore_case));
    return Set(std::move(set));
  }

  // What is behind a '('.
  Result<RegexNode> ParseGroup(bool ignore_case, int depth) {
    const bool negative = input_.Skip("?!");
    const bool is_lookahead = negative || input_.Skip("?=");
    if (input_.Skip("?i:")) {
      ignore_case = true;
    } else if (!input_.Skip("?:") && input_.StartsWith("?")) {
      return RegexUnsupported("a group that is not (...), (?:...), (?i:...), (?=...) or (?!...)");
    }
    ASSIGN_OR_RETURN(RegexNode inside, ParseAlternation(ignore_case, depth + 1));
    if (!input_.Skip(")")) return RegexUnsupported("a ( without )");
    if (!is_lookahead) return inside;
    RegexNode lookahead = {.kind = Kind::kLookahead};
    RETURN_IF_ERROR(AddToLookahead(inside, lookahead));
    if (negative) {
      lookahead.set = lookahead.set.Complement();
      lookahead.at_end = !lookahead.at_end;
    }
    return lookahead;
  }

  // A look-ahead at one character, or at several of which each would do.
  static Status AddToLookahead(const RegexNode& node, RegexNode& lookahead) {
    switch (node.kind) {
      case Kind::kSet:
      case Kind::kLookahead:
        lookahead.set.Add(node.set);
        lookahead.at_end = lookahead.at_end || node.at_end;
        return {};
      case Kind::kAlternation:
        for (const RegexNode& child : node.children) {
          RETURN_IF_ERROR(AddToLookahead(child, lookahead));
        }
        return {};
      case Kind::kSequence:
        if (node.children.size() == 1) return AddToLookahead(node.children.front(), lookahead);
        break;
      case Kind::kRepeat:
        break;
    }
    return RegexUnsupported("a look-ahead at more than one character");
  }

  Result<RegexNode> ParseQuantifier(RegexNode atom) {
    RegexNode repeat = {.kind = Kind::kRepeat};
    bool is_counted = false;
    if (input_.Skip("?")) {
      repeat.max = 1;
    } else if (input_.Skip("*")) {
      repeat.max = RegexNode::kUnbounded;
    } else if (input_.Skip("+")) {
      repeat.min = 1;
      repeat.max = RegexNode::kUnbounded;
    } else if (input_.Skip("{")) {
      RETURN_IF_ERROR(ParseCounts(repeat));
      is_counted = true;
    } else {
      return atom;
    }
    literal_.reset();
    repeat.is_lazy = input_.Skip("?");
    repeat.is_possessive = !repeat.is_lazy && input_.Skip("+");
    // Ruby takes a{2}? for (?:a{2})?, and a{2}+ for (?:a{2})+.
    const bool repeats_again = is_counted && (repeat.is_possessive || repeat.is_lazy);
    if (repeats_again || input_.StartsWith("?") || input_.StartsWith("*") ||
        input_.StartsWith("+") || input_.StartsWith("{")) {
      return RegexUnsupported("a repetition of a repetition");
    }
    if (repeat.max > 1 && IsNullable(atom)) {
      return RegexUnsupported("a repetition of what can be nothing");
    }
    repeat.children.push_back(std::move(atom));
    return repeat;
  }

  // What is behind a '{'.
  Status ParseCounts(RegexNode& repeat) {
    const auto parse = [&]() -> std::optional<uint32_t> {
      std::optional<uint32_t> count;
      while (input_.StartsWith("0") || IsDigit()) {
        const auto digit = static_cast<uint32_t>(input_.TakeByte().front() - '0');
        count = std::min(count.value_or(0) * 10 + digit, kMaxCount + 1);
      }
      return count;
    };
    const std::optional<uint32_t> min = parse();
    const bool has_comma = input_.Skip(",");
    const std::optional<uint32_t> max = has_comma ? parse() : min;
    if (!input_.Skip("}") || (!min && !max)) return RegexUnsupported("{ there");
    repeat.min = min.value_or(0);
    repeat.max = max.value_or(RegexNode::kUnbounded);
    const bool is_large =
        repeat.min > kMaxCount || (repeat.max > kMaxCount && repeat.max != RegexNode::kUnbounded);
    if (is_large || repeat.max == 0 || repeat.min > repeat.max) {
      return RegexUnsupported("a repetition by a number that is not from 1 to 255");
    }
    return {};
  }

  bool IsDigit() const {
    return std::any_of(kDigits.begin(), kDigits.end(), [&](const char& digit) {
      return input_.StartsWith(std::string_view(&digit, 1));
    });
  }

  static constexpr std::string_view kDigits = "123456789";

  RegexSetParser input_;
  std::optional<char32_t> literal_;  // the atom before, if it was one
};

// Whether a match never needs a possessive repetition to give something back, so that it matches
// what a greedy one does. `rest` is what follows in the sequence.
bool IsPossessiveInNameOnly(const RegexNode& repeat, std::span<const RegexNode> rest,
                            bool is_whole_rest) {
  const RegexNode& repeated = repeat.children.front();
  if (repeated.kind != Kind::kSet) return false;
  const auto always_matches = [](const RegexNode& node) { return AlwaysMatchesNothing(node); };
  if (is_whole_rest && std::all_of(rest.begin(), rest.end(), always_matches)) return true;
  CodePointSet first;
  for (const RegexNode& node : rest) {
    first.Add(FirstOf(node));
    if (!IsNullable(node)) return first.Intersect(repeated.set).empty();
  }
  return false;
}

Status CheckPossessive(const RegexNode& node, bool is_whole, int& count) {
  for (size_t i = 0; i < node.children.size(); ++i) {
    const RegexNode& child = node.children[i];
    const auto rest = std::span(node.children).subspan(i + 1);
    const bool is_possessive = child.kind == Kind::kRepeat && child.is_possessive;
    if (is_possessive && ++count > kMaxPossessive) {
      return RegexUnsupported("more than 16 possessive repetitions");
    }
    if (is_possessive &&
        !(node.kind == Kind::kSequence && IsPossessiveInNameOnly(child, rest, is_whole))) {
      return RegexUnsupported("a possessive repetition that what follows could need to be shorter");
    }
    RETURN_IF_ERROR(CheckPossessive(child, is_whole && node.kind == Kind::kAlternation, count));
  }
  return {};
}

}  // namespace

bool IsNullable(const RegexNode& node) {
  switch (node.kind) {
    case Kind::kSet:
      return false;
    case Kind::kLookahead:
      return true;
    case Kind::kSequence:
      return std::all_of(node.children.begin(), node.children.end(), IsNullable);
    case Kind::kAlternation:
      return std::any_of(node.children.begin(), node.children.end(), IsNullable);
    case Kind::kRepeat:
      return node.min == 0 || IsNullable(node.children.front());
  }
  return true;
}

bool AlwaysMatchesNothing(const RegexNode& node) {
  switch (node.kind) {
    case Kind::kSet:
    case Kind::kLookahead:
      return false;
    case Kind::kSequence:
      return std::all_of(node.children.begin(), node.children.end(), AlwaysMatchesNothing);
    case Kind::kAlternation:
      return std::any_of(node.children.begin(), node.children.end(), AlwaysMatchesNothing);
    case Kind::kRepeat:
      return node.min == 0 || AlwaysMatchesNothing(node.children.front());
  }
  return false;
}

CodePointSet FirstOf(const RegexNode& node) {
  CodePointSet first = node.set;
  for (const RegexNode& child : node.children) {
    first.Add(FirstOf(child));
    if (node.kind == Kind::kSequence && !IsNullable(child)) break;
  }
  return first;
}

Result<RegexNode> ParseRegex(std::string_view pattern) {
  if (pattern.size() > kMaxPattern) return RegexUnsupported("more than 2048 bytes");
  ASSIGN_OR_RETURN(RegexNode root, RegexParser(pattern).Parse());
  if (IsNullable(root)) return RegexUnsupported("a match of nothing");
  int possessive = 0;
  RETURN_IF_ERROR(CheckPossessive(root, true, possessive));
  return root;
}

}  // namespace embedding
