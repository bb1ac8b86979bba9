// White space around tags, as Jinja2 has it:
//   - "{%-" and "-%}" take all white space on their side, of comments and outputs likewise;
//   - without a sign, spaces and tabs between the beginning of a line and a block's or comment's
//   tag
//     go (lstrip_blocks), and so does the first line break behind one (trim_blocks);
//   - "+" leaves what there is;
//   - one line break at the end of the template goes.
#include "model/jinja/lexer.h"

#include <algorithm>
#include <array>

#include "base/ascii.h"
#include "weights/model_error.h"

namespace embedding::jinja {
namespace {

constexpr std::string_view kSpaces = " \t\r\n\v\f";

bool IsNameCharacter(char c) { return IsAlphanumeric(c) || c == '_'; }

class Lexer {
 public:
  explicit Lexer(std::string_view source) {
    // Line breaks are one character.
    for (size_t i = 0; i < source.size(); ++i) {
      if (source[i] == '\r') {
        if (i + 1 == source.size() || source[i + 1] != '\n') source_ += '\n';
      } else {
        source_ += source[i];
      }
    }
    if (source_.ends_with('\n')) source_.pop_back();
  }

  Result<std::vector<Token>> Run() {
    while (at_ < source_.size()) {
      const size_t tag = NextTag();
      AddData(tag);
      if (tag == std::string::npos) break;
      at_ = tag;
      RETURN_IF_ERROR(ReadTag());
    }
    Add(Token::kEnd, {});
    return std::move(tokens_);
  }

 private:
  size_t NextTag() const {
    for (size_t i = source_.find('{', at_); i != std::string::npos; i = source_.find('{', i + 1)) {
      if (i + 1 < source_.size() &&
          (source_[i + 1] == '{' || source_[i + 1] == '%' || source_[i + 1] == '#')) {
        return i;
      }
    }
    return std::string::npos;
  }

  // What is before the tag, or before the end.
  void AddData(size_t tag) {
    std::string data = source_.substr(at_, tag == std::string::npos ? tag : tag - at_);
    line_ += static_cast<size_t>(std::count(data.begin(), data.end(), '\n'));
    if (strips_) {
      const size_t first = data.find_first_not_of(kSpaces);
      data.erase(0, first);
    } else if (trims_line_ && data.starts_with('\n')) {
      data.erase(0, 1);
    }
    const bool begins_line = strips_ || trims_line_ || at_ == 0;
    if (tag != std::string::npos && tag + 2 < source_.size()) {
      const char sign = source_[tag + 2];
      if (sign == '-') {
        data.erase(data.find_last_not_of(kSpaces) + 1);
      } else if (source_[tag + 1] != '{' && sign != '+') {
        const size_t last = data.find_last_not_of(" \t") + 1;
        if (last > 0 ? data[last - 1] == '\n' : begins_line && BeginsLine(tag)) data.erase(last);
      }
    }
    if (!data.empty()) Add(Token::kData, std::move(data));
    strips_ = trims_line_ = false;
  }

  // Whether nothing but spaces is between the tag and the beginning of its line in the source.
  bool BeginsLine(size_t tag) const {
    const size_t before = source_.find_last_not_of(" \t", tag == 0 ? 0 : tag - 1);
    return tag == 0 || before == std::string::npos || source_[before] == '\n';
  }

  Status ReadTag() {
    const char kind = source_[at_ + 1];
    at_ += 2;
    if (at_ < source_.size() && (source_[at_] == '-' || source_[at_] == '+')) ++at_;
    if (kind == '#') {
      const size_t end = source_.find("#}", at_);
      if (end == std::string::npos) return Fail("a comment has no end");
      line_ += static_cast<size_t>(std::count(source_.begin() + static_cast<ptrdiff_t>(at_),
                                              source_.begin() + static_cast<ptrdiff_t>(end), '\n'));
      const char sign = end > at_ ? source_[end - 1] : ' ';
      at_ = end + 2;
      EndTag(sign, true);
      return {};
    }
    const bool is_block = kind == '%';
    const std::string_view end = is_block ? "%}" : "}}";
    Add(is_block ? Token::kBlockBegin : Token::kOutputBegin, {});
    size_t depth = 0;  // of brackets: "}}" may end two dicts
    while (true) {
      SkipSpaces();
      const std::string_view rest = std::string_view(source_).substr(at_);
      if (rest.empty()) return Fail("a tag has no end");
      const bool has_sign = rest[0] == '-' || rest[0] == '+';
      if (depth == 0 && rest.substr(has_sign ? 1 : 0).starts_with(end)) {
        at_ += end.size() + (has_sign ? 1 : 0);
        Add(is_block ? Token::kBlockEnd : Token::kOutputEnd, {});
        EndTag(has_sign ? rest[0] : ' ', is_block);
        return {};
      }
      RETURN_IF_ERROR(ReadToken(rest, depth));
    }
  }

  void EndTag(char sign, bool is_block) {
    strips_ = sign == '-';
    trims_line_ = is_block && sign != '+';
  }

  void SkipSpaces() {
    while (at_ < source_.size() && kSpaces.find(source_[at_]) != std::string_view::npos) {
      line_ += source_[at_] == '\n' ? 1 : 0;
      ++at_;
    }
  }

  Status ReadToken(std::string_view rest, size_t& depth) {
    const char c = rest[0];
    if (c == '"' || c == '\'') return ReadString(rest);
    if (IsNameCharacter(c)) {
      const auto* const end = std::find_if_not(rest.begin(), rest.end(),
                                               [](char each) { return IsNameCharacter(each); });
      const std::string name(rest.begin(), end);
      const bool is_number = c >= '0' && c <= '9';
      if (is_number && !std::all_of(name.begin(), name.end(),
                                    [](char each) { return each >= '0' && each <= '9'; })) {
        return Fail("the number " + Quoted(name) + " is not supported");
      }
      Add(is_number ? Token::kInteger : Token::kName, name);
      at_ += name.size();
      return {};
    }
    constexpr std::array<std::string_view, 6> kTwo = {"==", "!=", "<=", ">=", "//", "**"};
    constexpr std::string_view kOne = "()[]{}.,:|=<>+-*/%~";
    for (const std::string_view two : kTwo) {
      if (!rest.starts_with(two)) continue;
      Add(Token::kOperator, std::string(two));
      at_ += 2;
      return {};
    }
    if (kOne.find(c) == std::string_view::npos) {
      return Fail("the character " + Quoted(std::string(1, c)) + " is not supported");
    }
    if (c == '(' || c == '[' || c == '{') ++depth;
    if ((c == ')' || c == ']' || c == '}') && depth > 0) --depth;
    Add(Token::kOperator, std::string(1, c));
    ++at_;
    return {};
  }

  Status ReadString(std::string_view rest) {
    std::string text;
    for (size_t i = 1; i < rest.size(); ++i) {
      if (rest[i] == rest[0]) {
        Add(Token::kString, std::move(text));
        at_ += i + 1;
        return {};
      }
      if (rest[i] != '\\') {
        line_ += rest[i] == '\n' ? 1 : 0;
        text += rest[i];
        continue;
      }
      constexpr std::string_view kEscapes = "\\\"'ntr";
      constexpr std::string_view kMeant = "\\\"'\n\t\r";
      if (++i == rest.size()) break;
      const size_t escape = kEscapes.find(rest[i]);
      if (escape == std::string_view::npos) {
        return Fail("the escape " + Quoted(rest.substr(i - 1, 2)) + " is not supported");
      }
      text += kMeant[escape];
    }
    return Fail("a string has no end");
  }

  void Add(Token::Kind kind, std::string text) {
    tokens_.push_back({kind, std::move(text), line_});
  }
  Error Fail(std::string_view what) const { return ModelError("line {}: {}", line_, what); }

  std::string source_;
  std::vector<Token> tokens_;
  size_t at_ = 0;
  size_t line_ = 1;
  bool strips_ = false;      // the last tag took all white space behind it
  bool trims_line_ = false;  // or a line break
};

}  // namespace

Result<std::vector<Token>> Tokenize(std::string_view source) { return Lexer(source).Run(); }

}  // namespace embedding::jinja
