#include "model/jinja/syntax.h"

#include <algorithm>
#include <array>

#include "model/jinja/parser.h"
#include "weights/model_error.h"

namespace embedding::jinja {
namespace {

constexpr size_t kMaxDepth = 32;  // of blocks in blocks

class BlockParser {
 public:
  explicit BlockParser(std::vector<Token> tokens) : parser_(std::move(tokens)) {}

  Result<Body> ReadTemplate() {
    ASSIGN_OR_RETURN(Body body, ReadBody({}, 0));
    if (parser_.token().kind != Token::kEnd) return parser_.Fail("this tag has no beginning");
    return body;
  }

 private:
  // Up to a tag of one of these names, whose name is next then, or to the end.
  Result<Body> ReadBody(std::initializer_list<std::string_view> ends, size_t depth) {
    if (depth > kMaxDepth) return parser_.Fail("blocks are nested too deeply");
    Body body;
    while (parser_.token().kind != Token::kEnd) {
      const size_t line = parser_.token().line;
      if (parser_.token().kind == Token::kData) {
        body.push_back({.kind = Statement::kData, .text = parser_.token().text, .line = line});
        parser_.Next();
      } else if (parser_.Take(Token::kOutputBegin)) {
        Statement& output = body.emplace_back();
        output.kind = Statement::kOutput;
        output.line = line;
        ASSIGN_OR_RETURN(output.expression, parser_.ReadExpression());
        RETURN_IF_ERROR(parser_.Expect(Token::kOutputEnd));
      } else {
        RETURN_IF_ERROR(parser_.Expect(Token::kBlockBegin));
        const std::string& name = parser_.token().text;
        if (std::find(ends.begin(), ends.end(), name) != ends.end()) return body;
        RETURN_IF_ERROR(ReadBlock(line, depth, body));
      }
    }
    if (ends.size() > 0) return parser_.Fail(fmt::format("{} is missing", *(ends.end() - 1)));
    return body;
  }

  Status ReadBlock(size_t line, size_t depth, Body& body) {
    ASSIGN_OR_RETURN(const std::string name, parser_.Name());
    Statement statement;
    statement.line = line;
    if (name == "if") {
      RETURN_IF_ERROR(ReadIf(depth, statement));
    } else if (name == "for") {
      RETURN_IF_ERROR(ReadFor(depth, statement));
    } else if (name == "set") {
      RETURN_IF_ERROR(ReadSet(statement));
    } else if (name == "generation" || name == "endgeneration") {
      return parser_.Expect(Token::kBlockEnd);  // transformers' mark of what was generated
    } else {
      return parser_.Fail(fmt::format("the tag {} is not supported", Quoted(name)));
    }
    body.push_back(std::move(statement));
    return {};
  }

  Status ReadIf(size_t depth, Statement& statement) {
    statement.kind = Statement::kIf;
    std::string name = "if";
    while (name != "endif") {
      ExpressionPtr condition;
      if (name != "else") {
        ASSIGN_OR_RETURN(condition, parser_.ReadExpression());
      }
      RETURN_IF_ERROR(parser_.Expect(Token::kBlockEnd));
      const bool is_else = condition == nullptr;
      ASSIGN_OR_RETURN(Body body, is_else ? ReadBody({"endif"}, depth + 1)
                                          : ReadBody({"elif", "else", "endif"}, depth + 1));
      statement.branches.emplace_back(std::move(condition), std::move(body));
      ASSIGN_OR_RETURN(name, parser_.Name());
    }
    return parser_.Expect(Token::kBlockEnd);
  }

  Status ReadFor(size_t depth, Statement& statement) {
    statement.kind = Statement::kFor;
    ASSIGN_OR_RETURN(statement.name, parser_.Name());
    RETURN_IF_ERROR(parser_.Expect(Token::kName, "in"));
    ASSIGN_OR_RETURN(statement.expression, parser_.ReadExpression(/*with_conditional=*/false));
    if (parser_.Take(Token::kName, "if")) {
      ASSIGN_OR_RETURN(statement.condition, parser_.ReadExpression());
    }
    RETURN_IF_ERROR(parser_.Expect(Token::kBlockEnd));
    ASSIGN_OR_RETURN(Body body, ReadBody({"else", "endfor"}, depth + 1));
    statement.branches.emplace_back(nullptr, std::move(body));
    ASSIGN_OR_RETURN(const std::string name, parser_.Name());
    RETURN_IF_ERROR(parser_.Expect(Token::kBlockEnd));
    if (name == "endfor") return {};
    ASSIGN_OR_RETURN(Body otherwise, ReadBody({"endfor"}, depth + 1));
    statement.branches.emplace_back(nullptr, std::move(otherwise));
    parser_.Next();
    return parser_.Expect(Token::kBlockEnd);
  }

  Status ReadSet(Statement& statement) {
    statement.kind = Statement::kSet;
    ASSIGN_OR_RETURN(statement.name, parser_.Name());
    if (parser_.Take(Token::kOperator, ".")) {
      ASSIGN_OR_RETURN(statement.attribute, parser_.Name());
    }
    RETURN_IF_ERROR(parser_.Expect(Token::kOperator, "="));
    ASSIGN_OR_RETURN(statement.expression, parser_.ReadExpression());
    return parser_.Expect(Token::kBlockEnd);
  }

  Parser parser_;
};

}  // namespace

Result<Body> ParseTemplate(std::string_view source) {
  ASSIGN_OR_RETURN(std::vector<Token> tokens, Tokenize(source));
  return BlockParser(std::move(tokens)).ReadTemplate();
}

}  // namespace embedding::jinja
