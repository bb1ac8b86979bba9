// What a template is made of.
#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "base/result.h"
#include "model/jinja/value.h"

namespace embedding::jinja {

struct Expression;
using ExpressionPtr = std::unique_ptr<Expression>;

// `parts` and `name` are:
//   kConstant     none; `value` is it
//   kName         none; the variable
//   kList         the elements
//   kDict         key, value, key, value ...
//   kAttribute    the object; the attribute
//   kIndex        the object, the index
//   kSlice        the object, start, end, step, of which there may be nullptrs
//   kCall         the callee, the arguments; `named` are those with names
//   kFilter       the input, the arguments; the filter
//   kTest         the input, the arguments; the test
//   kUnary        the operand; "not" or "-"
//   kBinary       both operands; "and", "or", "==", "in", "+", "~" ...
//   kConditional  the condition, what it is then, and else, which may be nullptr
struct Expression {
  enum Kind : uint8_t {
    kConstant,
    kName,
    kList,
    kDict,
    kAttribute,
    kIndex,
    kSlice,
    kCall,
    kFilter,
    kTest,
    kUnary,
    kBinary,
    kConditional,
  };
  Kind kind = kConstant;
  std::string name = {};
  Value value = {};
  std::vector<ExpressionPtr> parts = {};
  std::vector<std::pair<std::string, ExpressionPtr>> named = {};
  size_t line = 0;
};

struct Statement;
using Body = std::vector<Statement>;

//   kData    text
//   kOutput  {{ expression }}
//   kIf      bodies by the conditions of `branches`, the last of which may be nullptr
//   kFor     `name` of those in `expression` that `condition`, if there is one, takes; the body,
//   and
//            that of an empty loop
//   kSet     `name`, or the attribute of it, becomes the expression's value
struct Statement {
  enum Kind : uint8_t { kData, kOutput, kIf, kFor, kSet };
  Kind kind = kData;
  std::string text = {};
  std::string name = {};
  std::string attribute = {};
  ExpressionPtr expression = nullptr;
  ExpressionPtr condition = nullptr;
  std::vector<std::pair<ExpressionPtr, Body>> branches = {};
  size_t line = 0;
};

// Errors: kModelLoad, naming the line and what is not supported there.
Result<Body> ParseTemplate(std::string_view source);

}  // namespace embedding::jinja
