#include "model/jinja/parser.h"

#include <algorithm>
#include <array>
#include <charconv>

#include "weights/model_error.h"

namespace embedding::jinja {
namespace {

// More brackets in brackets, and operators or filters in a row, than any template has: as deep as
// both together is what evaluates an expression, far from what a stack takes.
constexpr size_t kMaxDepth = 24;
constexpr size_t kMaxChain = 48;

// A level deeper while it lives.
class Deeper {
 public:
  explicit Deeper(size_t& depth) : depth_(depth) { ++depth_; }
  ~Deeper() { --depth_; }
  Deeper(const Deeper&) = delete;
  Deeper& operator=(const Deeper&) = delete;

 private:
  size_t& depth_;
};

}  // namespace

bool Parser::Take(Token::Kind kind, std::string_view text) {
  if (token().kind != kind || (!text.empty() && token().text != text)) return false;
  Next();
  return true;
}

Status Parser::Expect(Token::Kind kind, std::string_view text) {
  if (Take(kind, text)) return {};
  return Fail(fmt::format("{} is expected", text.empty() ? "the end of the tag" : Quoted(text)));
}

Result<std::string> Parser::Name() {
  if (token().kind != Token::kName) return Fail("a name is expected");
  std::string name = token().text;
  Next();
  return name;
}

Error Parser::Fail(std::string_view what) const {
  return ModelError("line {}: {}", token().line, what);
}

ExpressionPtr Parser::New(Expression::Kind kind, std::string name) const {
  auto made = std::make_unique<Expression>();
  made->kind = kind;
  made->name = std::move(name);
  made->line = token().line;
  return made;
}

Result<ExpressionPtr> Parser::ReadExpression(bool with_conditional) {
  const Deeper deeper(depth_);
  if (depth_ > kMaxDepth) return Fail("the expression is nested too deeply");
  ASSIGN_OR_RETURN(ExpressionPtr expression, ReadBinary(0));
  size_t links = 0;
  while (with_conditional && Take(Token::kName, "if")) {
    if (++links > kMaxChain) return Fail("the expression is too long");
    ExpressionPtr conditional = New(Expression::kConditional);
    ASSIGN_OR_RETURN(ExpressionPtr condition, ReadBinary(0));
    ExpressionPtr otherwise;
    if (Take(Token::kName, "else")) {
      ASSIGN_OR_RETURN(otherwise, ReadExpression());
    }
    conditional->parts.push_back(std::move(condition));
    conditional->parts.push_back(std::move(expression));
    conditional->parts.push_back(std::move(otherwise));
    expression = std::move(conditional);
  }
  return expression;
}

Result<ExpressionPtr> Parser::ReadBinary(size_t level) {
  // "not" and comparisons are between "and" and "+".
  constexpr size_t kNotLevel = 2;
  constexpr std::array<std::array<std::string_view, 4>, 5> kLevels = {
      {{"or"}, {"and"}, {"+", "-"}, {"~"}, {"*", "/", "//", "%"}}};
  if (level == kLevels.size()) return ReadUnary(true);
  const bool is_name = level < kNotLevel;
  const auto read_next = [&]() -> Result<ExpressionPtr> {
    return level + 1 == kNotLevel ? ReadNot() : ReadBinary(level + 1);
  };
  ASSIGN_OR_RETURN(ExpressionPtr left, read_next());
  for (size_t links = 0;; ++links) {
    if (links > kMaxChain) return Fail("the expression is too long");
    const Token& next = token();
    const auto& operators = kLevels[level];
    const bool is_operator =
        next.kind == (is_name ? Token::kName : Token::kOperator) &&
        std::any_of(operators.begin(), operators.end(),
                    [&](std::string_view each) { return !each.empty() && each == next.text; });
    if (!is_operator) return left;
    ExpressionPtr binary = New(Expression::kBinary, next.text);
    Next();
    ASSIGN_OR_RETURN(ExpressionPtr right, read_next());
    binary->parts.push_back(std::move(left));
    binary->parts.push_back(std::move(right));
    left = std::move(binary);
  }
}

Result<ExpressionPtr> Parser::ReadNot() {
  if (token().kind != Token::kName || token().text != "not") return ReadComparison();
  const Deeper deeper(depth_);
  if (depth_ > kMaxDepth) return Fail("the expression is nested too deeply");
  ExpressionPtr unary = New(Expression::kUnary, "not");
  Next();
  ASSIGN_OR_RETURN(ExpressionPtr operand, ReadNot());
  unary->parts.push_back(std::move(operand));
  return unary;
}

Result<ExpressionPtr> Parser::ReadComparison() {
  constexpr std::array<std::string_view, 6> kComparisons = {"==", "!=", "<", "<=", ">", ">="};
  constexpr size_t kSum = 2;  // the level
  ASSIGN_OR_RETURN(ExpressionPtr left, ReadBinary(kSum));
  for (size_t links = 0;; ++links) {
    if (links > kMaxChain) return Fail("the expression is too long");
    const bool is_comparison =
        token().kind == Token::kOperator &&
        std::find(kComparisons.begin(), kComparisons.end(), token().text) != kComparisons.end();
    ExpressionPtr comparison = New(Expression::kBinary, token().text);
    bool is_negated = false;
    if (is_comparison || (token().kind == Token::kName && token().text == "in")) {
      Next();
    } else if (token().kind == Token::kName && token().text == "not") {
      Next();
      RETURN_IF_ERROR(Expect(Token::kName, "in"));
      comparison->name = "in";
      is_negated = true;
    } else {
      return left;
    }
    ASSIGN_OR_RETURN(ExpressionPtr right, ReadBinary(kSum));
    comparison->parts.push_back(std::move(left));
    comparison->parts.push_back(std::move(right));
    left = std::move(comparison);
    if (is_negated) {
      ExpressionPtr unary = New(Expression::kUnary, "not");
      unary->parts.push_back(std::move(left));
      left = std::move(unary);
    }
  }
}

Result<ExpressionPtr> Parser::ReadUnary(bool with_filters) {
  const Deeper deeper(depth_);
  if (depth_ > kMaxDepth) return Fail("the expression is nested too deeply");
  ExpressionPtr expression;
  if (token().kind == Token::kOperator && token().text == "-") {
    expression = New(Expression::kUnary, "-");
    Next();
    ASSIGN_OR_RETURN(ExpressionPtr operand, ReadUnary(false));
    expression->parts.push_back(std::move(operand));
  } else {
    ASSIGN_OR_RETURN(expression, ReadPrimary());
  }
  ASSIGN_OR_RETURN(expression, ReadPostfix(std::move(expression)));
  if (!with_filters) return expression;
  return ReadFilters(std::move(expression));
}

Result<ExpressionPtr> Parser::ReadPrimary() {
  const Token first = token();
  ExpressionPtr expression = New(Expression::kConstant);
  if (first.kind == Token::kString) {
    std::string text;
    while (token().kind == Token::kString) {  // side by side, as in Python
      text += token().text;
      Next();
    }
    expression->value = Value::Of(text);
    return expression;
  }
  if (first.kind == Token::kInteger) {
    int64_t number = 0;
    const char* const end = first.text.data() + first.text.size();
    if (std::from_chars(first.text.data(), end, number).ec != std::errc()) {
      return Fail("the number is too large");
    }
    expression->value = Value(number);
    Next();
    return expression;
  }
  if (first.kind == Token::kName) {
    Next();
    if (first.text == "true" || first.text == "True") {
      expression->value = Value(true);
    } else if (first.text == "false" || first.text == "False") {
      expression->value = Value(false);
    } else if (first.text == "none" || first.text == "None") {
      expression->value = Value(None{});
    } else {
      expression->kind = Expression::kName;
      expression->name = first.text;
    }
    return expression;
  }
  if (Take(Token::kOperator, "(")) {
    ASSIGN_OR_RETURN(ExpressionPtr inner, ReadExpression());
    if (token().text == ",") return Fail("a tuple is not supported");
    RETURN_IF_ERROR(Expect(Token::kOperator, ")"));
    return inner;
  }
  if (Take(Token::kOperator, "[")) {
    expression->kind = Expression::kList;
    RETURN_IF_ERROR(ReadList("]", expression->parts));
    return expression;
  }
  if (Take(Token::kOperator, "{")) {
    expression->kind = Expression::kDict;
    RETURN_IF_ERROR(ReadDict(expression->parts));
    return expression;
  }
  return Fail("an expression is expected");
}

Status Parser::ReadList(std::string_view end, std::vector<ExpressionPtr>& elements) {
  while (!Take(Token::kOperator, end)) {
    ASSIGN_OR_RETURN(ExpressionPtr element, ReadExpression());
    elements.push_back(std::move(element));
    if (Take(Token::kOperator, ",")) continue;
    return Expect(Token::kOperator, end);
  }
  return {};
}

Status Parser::ReadDict(std::vector<ExpressionPtr>& entries) {
  while (!Take(Token::kOperator, "}")) {
    ASSIGN_OR_RETURN(ExpressionPtr key, ReadExpression());
    RETURN_IF_ERROR(Expect(Token::kOperator, ":"));
    ASSIGN_OR_RETURN(ExpressionPtr value, ReadExpression());
    entries.push_back(std::move(key));
    entries.push_back(std::move(value));
    if (Take(Token::kOperator, ",")) continue;
    return Expect(Token::kOperator, "}");
  }
  return {};
}

Result<ExpressionPtr> Parser::ReadPostfix(ExpressionPtr expression) {
  size_t links = 0;
  while (token().kind == Token::kOperator) {
    if (++links > kMaxChain) return Fail("the expression is too long");
    if (Take(Token::kOperator, ".")) {
      ExpressionPtr attribute = New(Expression::kAttribute);
      ASSIGN_OR_RETURN(attribute->name, Name());
      attribute->parts.push_back(std::move(expression));
      expression = std::move(attribute);
    } else if (Take(Token::kOperator, "[")) {
      ASSIGN_OR_RETURN(expression, ReadSubscript(std::move(expression)));
    } else if (Take(Token::kOperator, "(")) {
      ExpressionPtr call = New(Expression::kCall);
      call->parts.push_back(std::move(expression));
      RETURN_IF_ERROR(ReadArguments(*call));
      expression = std::move(call);
    } else {
      break;
    }
  }
  return expression;
}

Result<ExpressionPtr> Parser::ReadSubscript(ExpressionPtr object) {
  std::array<ExpressionPtr, 3> bounds;
  size_t colons = 0;
  while (!Take(Token::kOperator, "]")) {
    if (Take(Token::kOperator, ":")) {
      if (++colons == bounds.size()) return Fail("a slice has at most three parts");
      continue;
    }
    if (bounds[colons] != nullptr) return Fail("\"]\" is expected");
    ASSIGN_OR_RETURN(bounds[colons], ReadExpression());
  }
  ExpressionPtr made = New(colons == 0 ? Expression::kIndex : Expression::kSlice);
  made->parts.push_back(std::move(object));
  for (size_t i = 0; i < (colons == 0 ? 1 : bounds.size()); ++i) {
    made->parts.push_back(std::move(bounds[i]));
  }
  if (colons == 0 && made->parts[1] == nullptr) return Fail("an index is expected");
  return made;
}

Status Parser::ReadArguments(Expression& call) {
  while (!Take(Token::kOperator, ")")) {
    const bool is_named = token().kind == Token::kName &&
                          tokens_[at_ + 1].kind == Token::kOperator && tokens_[at_ + 1].text == "=";
    std::string name;
    if (is_named) {
      ASSIGN_OR_RETURN(name, Name());
      Next();
    }
    ASSIGN_OR_RETURN(ExpressionPtr value, ReadExpression());
    if (is_named) {
      call.named.emplace_back(std::move(name), std::move(value));
    } else {
      call.parts.push_back(std::move(value));
    }
    if (Take(Token::kOperator, ",")) continue;
    return Expect(Token::kOperator, ")");
  }
  return {};
}

Result<ExpressionPtr> Parser::ReadFilters(ExpressionPtr expression) {
  size_t links = 0;
  while (true) {
    if (++links > kMaxChain) return Fail("the expression is too long");
    if (Take(Token::kOperator, "|")) {
      ExpressionPtr filter = New(Expression::kFilter);
      ASSIGN_OR_RETURN(filter->name, Name());
      filter->parts.push_back(std::move(expression));
      if (Take(Token::kOperator, "(")) RETURN_IF_ERROR(ReadArguments(*filter));
      expression = std::move(filter);
    } else if (Take(Token::kName, "is")) {
      const bool is_negated = Take(Token::kName, "not");
      ExpressionPtr test = New(Expression::kTest);
      ASSIGN_OR_RETURN(test->name, Name());
      test->parts.push_back(std::move(expression));
      if (Take(Token::kOperator, "(")) {
        RETURN_IF_ERROR(ReadArguments(*test));
      } else if (token().kind == Token::kString || token().kind == Token::kInteger) {
        ASSIGN_OR_RETURN(ExpressionPtr argument, ReadPrimary());  // "x is equalto 'y'"
        test->parts.push_back(std::move(argument));
      }
      expression = std::move(test);
      if (is_negated) {
        ExpressionPtr unary = New(Expression::kUnary, "not");
        unary->parts.push_back(std::move(expression));
        expression = std::move(unary);
      }
    } else {
      return expression;
    }
  }
}

}  // namespace embedding::jinja
