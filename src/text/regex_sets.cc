#include "text/regex_sets.h"

#include <algorithm>
#include <optional>
#include <utility>

#include "base/quoted.h"
#include "base/utf8.h"

namespace embedding {
namespace {

// Classes in classes. Real patterns have two levels.
constexpr int kMaxDepth = 8;

bool IsAsciiLetter(char32_t c) { return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z'); }

// The set with what else its letters match where case is ignored. Beyond ASCII the letters that
// belong together are not known here, but for the two that belong to ASCII's.
Result<CodePointSet> IgnoringCase(const CodePointSet& set) {
  if (!set.ranges().empty() && set.ranges().back().last >= 0x80) {
    return RegexUnsupported("(?i) with characters that are not ASCII");
  }
  CodePointSet out = set;
  for (char32_t c = 0; c < 0x80; ++c) {
    if (!IsAsciiLetter(c) || !set.Contains(c)) continue;
    out.Add({c ^ 0x20, c ^ 0x20});
    if (c == 's' || c == 'S') out.Add({0x17F, 0x17F});    // LONG S
    if (c == 'k' || c == 'K') out.Add({0x212A, 0x212A});  // KELVIN SIGN
  }
  return out;
}

CodePointSet Digits() { return *CodePointSet::OfProperty("Nd"); }

// Of the escapes that are one character, that which it stands for.
std::optional<char32_t> ControlEscape(char32_t c) {
  switch (c) {
    case 't':
      return U'\t';
    case 'n':
      return U'\n';
    case 'v':
      return U'\v';
    case 'f':
      return U'\f';
    case 'r':
      return U'\r';
    default:
      return std::nullopt;
  }
}

// Oniguruma has numbers like U+00B2 in `\w`, but not in `[\w]`.
std::optional<CodePointSet> SetEscape(char32_t c, bool in_class) {
  const auto word = [in_class] {
    return CodePointSet::Of([in_class](CharCategory properties) {
      return properties.is_word() && !(in_class && properties.category() == Category::kNo);
    });
  };
  switch (c) {
    case 's':
      return CodePointSet::Whitespace();
    case 'S':
      return CodePointSet::Whitespace().Complement();
    case 'd':
      return Digits();
    case 'D':
      return Digits().Complement();
    case 'w':
      return word();
    case 'W':
      return word().Complement();
    default:
      return std::nullopt;
  }
}

int HexDigit(char c) {
  if (c >= '0' && c <= '9') return c - '0';
  if (c >= 'a' && c <= 'f') return c - 'a' + 10;
  if (c >= 'A' && c <= 'F') return c - 'A' + 10;
  return -1;
}

}  // namespace

bool RegexSetParser::Skip(std::string_view text) {
  if (!StartsWith(text)) return false;
  position_ += text.size();
  return true;
}

char32_t RegexSetParser::TakeCharacter() {
  const CodePoint c = DecodeUtf8(pattern_, position_);
  position_ += c.size_bytes;
  return c.value;
}

Result<CodePointSet> RegexSetParser::Literal(char32_t c, bool ignore_case) {
  const CodePointSet set(c, c);
  return ignore_case ? IgnoringCase(set) : Result<CodePointSet>(set);
}

Result<CodePointSet> RegexSetParser::ParseProperty(bool negated) {
  if (!Skip("{")) return RegexUnsupported("\\p without {}");
  negated = Skip("^") != negated;
  const size_t end = pattern_.find('}', position_);
  if (end == std::string_view::npos) return RegexUnsupported("\\p{ without }");
  const std::string_view name = pattern_.substr(position_, end - position_);
  position_ = end + 1;
  auto known = properties_.find(name);
  if (known == properties_.end()) {
    std::optional<CodePointSet> set = CodePointSet::OfProperty(name);
    if (!set) return RegexUnsupported("the property " + Quoted(name));
    known = properties_.emplace(name, *std::move(set)).first;
  }
  return negated ? known->second.Complement() : known->second;
}

// What is behind \x or \u: {1F600}, two digits, four digits.
Result<char32_t> RegexSetParser::ParseCodePoint(char32_t kind) {
  const bool braced = kind == 'x' && Skip("{");
  const size_t most = braced ? 6 : kind == 'x' ? 2 : 4;
  char32_t value = 0;
  size_t digits = 0;
  for (; digits < most && !at_end() && HexDigit(pattern_[position_]) >= 0; ++digits) {
    value = value * 16 + static_cast<char32_t>(HexDigit(pattern_[position_++]));
  }
  if (digits == 0 || (!braced && digits < most) || (braced && !Skip("}"))) {
    return RegexUnsupported("a \\x or \\u without its digits");
  }
  // \x80 to \xFF are bytes, not characters.
  const bool is_byte = kind == 'x' && !braced && value >= 0x80;
  if (is_byte || value > 0x10FFFF || (value >= 0xD800 && value <= 0xDFFF)) {
    return RegexUnsupported("a \\x or \\u that is no character");
  }
  return value;
}

Result<RegexSetParser::Member> RegexSetParser::ParseMember(bool in_class) {
  const auto character = [](char32_t c) { return Member{CodePointSet(c, c), true, c}; };
  const auto set = [](CodePointSet members) { return Member{std::move(members), false, 0}; };
  if (!Skip("\\")) return character(TakeCharacter());
  if (at_end()) return RegexUnsupported("a backslash at its end");
  const char32_t c = TakeCharacter();
  if (const auto control = ControlEscape(c)) return character(*control);
  if (auto members = SetEscape(c, in_class)) return set(*std::move(members));
  if (c == 'p' || c == 'P') {
    ASSIGN_OR_RETURN(CodePointSet members, ParseProperty(c == 'P'));
    return set(std::move(members));
  }
  if (c == 'x' || c == 'u') {
    ASSIGN_OR_RETURN(const char32_t value, ParseCodePoint(c));
    return character(value);
  }
  const bool is_alphanumeric = IsAsciiLetter(c) || (c >= '0' && c <= '9');
  if (is_alphanumeric || c >= 0x80) {
    std::string escape = "\\";
    AppendUtf8(c, escape);
    return RegexUnsupported("the escape " + Quoted(escape));
  }
  return character(c);
}

Result<CodePointSet> RegexSetParser::ParseEscape(bool ignore_case) {
  --position_;  // the backslash
  const bool is_class = StartsWith("\\s") || StartsWith("\\S") || StartsWith("\\d") ||
                        StartsWith("\\D");  // with or without case the same
  ASSIGN_OR_RETURN(Member member, ParseMember(false));
  if (!ignore_case || is_class) return std::move(member.set);
  return IgnoringCase(member.set);
}

// The members up to a ']' or an "&&", behind which it goes.
Result<CodePointSet> RegexSetParser::ParseMembers(int depth, bool& intersects) {
  CodePointSet set;
  for (bool is_first = true;; is_first = false) {
    if (at_end()) return RegexUnsupported("a [ without ]");
    if (Skip("&&")) {
      intersects = true;
      return set;
    }
    if (Skip("]")) {
      if (is_first) return RegexUnsupported("a class without members");
      return set;
    }
    if (StartsWith("[:")) return RegexUnsupported("a class by name, like [:alpha:]");
    if (Skip("[")) {
      ASSIGN_OR_RETURN(const CodePointSet nested, ParseClass(false, depth + 1));
      set.Add(nested);
      continue;
    }
    ASSIGN_OR_RETURN(const Member member, ParseMember(true));
    // A '-' at the end of a class, or behind a set, stands for itself.
    const bool is_range = member.is_character && StartsWith("-") && !StartsWith("-]");
    if (!is_range) {
      set.Add(member.set);
      continue;
    }
    Skip("-");
    if (at_end() || StartsWith("[") || StartsWith("&&")) {
      return RegexUnsupported("a range in a class without its end");
    }
    ASSIGN_OR_RETURN(const Member last, ParseMember(true));
    if (!last.is_character || last.character < member.character) {
      return RegexUnsupported("a range in a class that ends before it begins");
    }
    set.Add({member.character, last.character});
  }
}

Result<CodePointSet> RegexSetParser::ParseClass(bool ignore_case, int depth) {
  if (depth == kMaxDepth) return RegexUnsupported("classes nested too deeply");
  const bool negated = Skip("^");
  bool intersects = false;
  ASSIGN_OR_RETURN(CodePointSet set, ParseMembers(depth, intersects));
  while (intersects) {
    intersects = false;
    ASSIGN_OR_RETURN(const CodePointSet other, ParseMembers(depth, intersects));
    set = set.Intersect(other);
  }
  if (ignore_case) {
    ASSIGN_OR_RETURN(set, IgnoringCase(set));
  }
  return negated ? set.Complement() : set;
}

}  // namespace embedding
