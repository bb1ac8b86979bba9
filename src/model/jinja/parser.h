// Reads the expressions of a template; what is between them is syntax.cc's.
#pragma once

#include <string_view>
#include <vector>

#include "base/result.h"
#include "model/jinja/lexer.h"
#include "model/jinja/syntax.h"

namespace embedding::jinja {

class Parser {
 public:
  explicit Parser(std::vector<Token> tokens) : tokens_(std::move(tokens)) {}

  const Token& token() const { return tokens_[at_]; }
  void Next() { at_ += token().kind == Token::kEnd ? 0 : 1; }
  // Passes over a token of that text, if it is next.
  bool Take(Token::Kind kind, std::string_view text = {});
  Status Expect(Token::Kind kind, std::string_view text = {});
  Result<std::string> Name();

  // An expression, with "x if y else z" or without.
  Result<ExpressionPtr> ReadExpression(bool with_conditional = true);

  Error Fail(std::string_view what) const;

 private:
  // By how tightly an operator binds, the loosest first.
  Result<ExpressionPtr> ReadBinary(size_t level);
  Result<ExpressionPtr> ReadNot();
  Result<ExpressionPtr> ReadComparison();
  Result<ExpressionPtr> ReadUnary(bool with_filters);
  Result<ExpressionPtr> ReadPrimary();
  Result<ExpressionPtr> ReadPostfix(ExpressionPtr expression);
  Result<ExpressionPtr> ReadFilters(ExpressionPtr expression);
  Result<ExpressionPtr> ReadSubscript(ExpressionPtr object);
  Status ReadArguments(Expression& call);
  Status ReadList(std::string_view end, std::vector<ExpressionPtr>& elements);
  Status ReadDict(std::vector<ExpressionPtr>& entries);
  ExpressionPtr New(Expression::Kind kind, std::string name = {}) const;

  std::vector<Token> tokens_;
  size_t at_ = 0;
  size_t depth_ = 0;
};

}  // namespace embedding::jinja
