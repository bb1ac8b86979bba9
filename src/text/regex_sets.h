// The parts of a regular expression that match one character: classes and escapes.
#pragma once

#include <cstddef>
#include <map>
#include <string>
#include <string_view>

#include "base/result.h"
#include "text/code_point_set.h"

namespace embedding {

// What a pattern has that is not supported, said so that "it has <what>" is a sentence.
inline Error RegexUnsupported(std::string what) {
  return Error{ErrorCode::kModelLoad, std::move(what), ""};
}

// Reads a pattern from its beginning; the parser of the rest moves it on.
class RegexSetParser {
 public:
  // `pattern` is valid UTF-8 and has to stay.
  explicit RegexSetParser(std::string_view pattern) : pattern_(pattern) {}

  bool at_end() const { return position_ == pattern_.size(); }
  bool StartsWith(std::string_view text) const {
    return pattern_.substr(position_).starts_with(text);
  }
  // Goes on behind `text` if the rest starts with it.
  bool Skip(std::string_view text);
  // The next character, behind which it goes. There has to be one.
  char32_t TakeCharacter();
  std::string_view TakeByte() { return pattern_.substr(position_++, 1); }

  // What one character that stands for itself matches. `ignore_case` is `(?i)`.
  static Result<CodePointSet> Literal(char32_t c, bool ignore_case);
  // What is behind a backslash.
  Result<CodePointSet> ParseEscape(bool ignore_case);
  // What is behind a '[', to the ']' that belongs to it.
  Result<CodePointSet> ParseClass(bool ignore_case, int depth = 0);

 private:
  Result<CodePointSet> ParseProperty(bool negated);
  Result<char32_t> ParseCodePoint(char32_t kind);
  // A member of a class: one character, of which a range may begin, or a set.
  struct Member {
    CodePointSet set;
    bool is_character;
    char32_t character;
  };
  Result<Member> ParseMember(bool in_class);
  Result<CodePointSet> ParseMembers(int depth, bool& intersects);

  std::string_view pattern_;
  size_t position_ = 0;
  std::map<std::string, CodePointSet, std::less<>> properties_;  // those that were met
};

}  // namespace embedding
