#include "model/jinja/render.h"

#include <algorithm>
#include <optional>
#include <string>
#include <utility>

#include "model/jinja/filters.h"
#include "model/jinja/syntax.h"
#include "weights/model_error.h"

namespace embedding::jinja {
namespace {

// Of statements and expressions, and of bytes of all that they give: no template of messages comes
// near them.
constexpr size_t kMaxSteps = 100000;
constexpr size_t kMaxBytes = size_t{16} << 20;
constexpr size_t kMaxSource = size_t{256} << 10;

class Renderer {
 public:
  explicit Renderer(const Dict& variables) : scopes_{variables} {}

  Result<Text> Run(const Body& body) {
    RETURN_IF_ERROR(RunBody(body));
    return std::move(output_);
  }

 private:
  Status RunBody(const Body& body) {
    for (const Statement& statement : body) RETURN_IF_ERROR(RunStatement(statement));
    return {};
  }

  Status RunStatement(const Statement& statement) {
    RETURN_IF_ERROR(Count());
    switch (statement.kind) {
      case Statement::kData:
        output_.Add({.text = statement.text});
        return {};
      case Statement::kOutput: {
        ASSIGN_OR_RETURN(const Value value, Evaluate(*statement.expression));
        auto text = Written(value);
        if (!text.ok()) return At(statement.line, std::move(text).error());
        output_.Add(*text);
        return {};
      }
      case Statement::kIf:
        for (const auto& [condition, body] : statement.branches) {
          bool is_true = true;
          if (condition != nullptr) {
            ASSIGN_OR_RETURN(is_true, Holds(*condition));
          }
          if (is_true) return RunBody(body);
        }
        return {};
      case Statement::kFor:
        return RunLoop(statement);
      case Statement::kSet:
        return Set(statement);
    }
    return {};
  }

  Status Set(const Statement& statement) {
    ASSIGN_OR_RETURN(Value value, Evaluate(*statement.expression));
    if (statement.attribute.empty()) {
      return SetEntry(scopes_.back(), statement.name, std::move(value));
    }
    const Value object = Find(statement.name);
    Dict* const dict = object.dict();
    if (dict == nullptr) {
      return At(statement.line, ModelError("{} is no namespace", Quoted(statement.name)));
    }
    // What holds itself would never be freed.
    if (value.dict() != nullptr || value.list() != nullptr) {
      return At(statement.line, ModelError("a list or dict in a namespace is not supported"));
    }
    return SetEntry(*dict, statement.attribute, std::move(value));
  }

  // In a scope of its own, whose variables end with each turn.
  Status RunLoop(const Statement& statement) {
    ASSIGN_OR_RETURN(const Value sequence, Evaluate(*statement.expression));
    const List* const list = sequence.list();
    if (list == nullptr && !sequence.is_undefined()) {
      return At(statement.line, ModelError("a loop over what is no list is not supported"));
    }
    std::vector<Value> taken;
    for (size_t i = 0; list != nullptr && i < list->size(); ++i) {
      bool takes = true;
      if (statement.condition != nullptr) {
        scopes_.push_back({{statement.name, (*list)[i]}});
        ASSIGN_OR_RETURN(takes, Holds(*statement.condition));
        scopes_.pop_back();
      }
      if (takes) taken.push_back((*list)[i]);
    }
    if (taken.empty() && statement.branches.size() > 1) {
      return RunBody(statement.branches[1].second);
    }
    const auto length = static_cast<int64_t>(taken.size());
    for (int64_t i = 0; i < length; ++i) {
      const auto at = [&](int64_t j) {
        return j >= 0 && j < length ? taken[static_cast<size_t>(j)] : Value();
      };
      const Dict loop = {{"index", Value(i + 1)},
                         {"index0", Value(i)},
                         {"first", Value(i == 0)},
                         {"last", Value(i + 1 == length)},
                         {"length", Value(length)},
                         {"revindex", Value(length - i)},
                         {"previtem", at(i - 1)},
                         {"nextitem", at(i + 1)},
                         {"revindex0", Value(length - i - 1)}};
      scopes_.push_back({{statement.name, at(i)}, {"loop", Value::Of(loop)}});
      RETURN_IF_ERROR(RunBody(statement.branches[0].second));
      scopes_.pop_back();
    }
    return {};
  }

  Result<bool> Holds(const Expression& expression) {
    ASSIGN_OR_RETURN(const Value value, Evaluate(expression));
    auto is_true = IsTrue(value);
    if (!is_true.ok()) return At(expression.line, std::move(is_true).error());
    return is_true;
  }

  Result<Value> Evaluate(const Expression& expression) {
    RETURN_IF_ERROR(Count());
    ASSIGN_OR_RETURN(Value value, Compute(expression));
    bytes_ += SizeOf(value);
    if (bytes_ > kMaxBytes) return ModelError("it puts together more than {} bytes", kMaxBytes);
    return value;
  }

  Result<Value> Compute(const Expression& expression) {
    switch (expression.kind) {
      case Expression::kConstant:
        return expression.value;
      case Expression::kName:
        return Find(expression.name);
      case Expression::kConditional: {
        ASSIGN_OR_RETURN(const bool is_true, Holds(*expression.parts[0]));
        const ExpressionPtr& chosen = expression.parts[is_true ? 1 : 2];
        return chosen == nullptr ? Value() : Evaluate(*chosen);
      }
      case Expression::kCall:
        return Call(expression);
      case Expression::kBinary:
        if (expression.name == "and" || expression.name == "or") return Choose(expression);
        break;
      default:
        break;
    }
    std::vector<Value> parts;
    for (const ExpressionPtr& part : expression.parts) {
      if (part == nullptr) {
        parts.emplace_back();
        continue;
      }
      ASSIGN_OR_RETURN(parts.emplace_back(), Evaluate(*part));
    }
    auto value = Combine(expression, std::move(parts));
    if (!value.ok()) return At(expression.line, std::move(value).error());
    return value;
  }

  // "and" and "or" give one of their operands.
  Result<Value> Choose(const Expression& expression) {
    ASSIGN_OR_RETURN(Value left, Evaluate(*expression.parts[0]));
    auto is_true = IsTrue(left);
    if (!is_true.ok()) return At(expression.line, std::move(is_true).error());
    if (*is_true == (expression.name == "or")) return left;
    return Evaluate(*expression.parts[1]);
  }

  Result<Value> Combine(const Expression& expression, std::vector<Value> parts) {
    switch (expression.kind) {
      case Expression::kList:
        return Value::Of(std::move(parts));
      case Expression::kDict: {
        Dict dict;
        for (size_t i = 0; i < parts.size(); i += 2) {
          ASSIGN_OR_RETURN(const std::string key, Said(parts[i], "a key"));
          RETURN_IF_ERROR(SetEntry(dict, key, std::move(parts[i + 1])));
        }
        return Value::Of(std::move(dict));
      }
      case Expression::kAttribute:
        return Attribute(parts[0], expression.name);
      case Expression::kIndex:
        return Index(parts[0], parts[1]);
      case Expression::kSlice:
        return Slice(parts);
      case Expression::kUnary:
        return Unary(expression.name, parts[0]);
      case Expression::kBinary:
        return Binary(expression.name, parts[0], parts[1]);
      case Expression::kFilter:
      case Expression::kTest: {
        const Value input = std::move(parts.front());
        ASSIGN_OR_RETURN(const Arguments arguments, ArgumentsOf(expression, std::move(parts)));
        if (expression.kind == Expression::kFilter) {
          return ApplyFilter(expression.name, input, arguments);
        }
        ASSIGN_OR_RETURN(const bool holds, ApplyTest(expression.name, input, arguments));
        return Value(holds);
      }
      default:
        return ModelError("this expression is not supported");
    }
  }

  // All but the first of `parts`, and those with names.
  Result<Arguments> ArgumentsOf(const Expression& expression, std::vector<Value> parts) {
    Arguments arguments;
    for (const auto& [name, value] : expression.named) {
      arguments.named.emplace_back(name, Value());
      ASSIGN_OR_RETURN(arguments.named.back().second, Evaluate(*value));
    }
    parts.erase(parts.begin());
    arguments.values = std::move(parts);
    return arguments;
  }

  Result<Value> Call(const Expression& expression) {
    const Expression& callee = *expression.parts[0];
    Value object;
    if (callee.kind == Expression::kAttribute) {
      ASSIGN_OR_RETURN(object, Evaluate(*callee.parts[0]));
    }
    std::vector<Value> parts(1);
    for (size_t i = 1; i < expression.parts.size(); ++i) {
      ASSIGN_OR_RETURN(parts.emplace_back(), Evaluate(*expression.parts[i]));
    }
    ASSIGN_OR_RETURN(const Arguments arguments, ArgumentsOf(expression, std::move(parts)));
    auto value = callee.kind == Expression::kAttribute ? CallMethod(callee.name, object, arguments)
                                                       : CallFunction(callee, arguments);
    if (!value.ok()) return At(expression.line, std::move(value).error());
    return value;
  }

  static Result<Value> CallFunction(const Expression& callee, const Arguments& arguments) {
    if (callee.kind == Expression::kName && callee.name == "namespace") {
      return Value::Of(Dict(arguments.named));
    }
    if (callee.kind == Expression::kName && callee.name == "raise_exception") {
      ASSIGN_OR_RETURN(const Text said, Written(arguments.At(0, "")));
      return ModelError("it raises the error {}", Quoted(said.is_said() ? said.said() : ""));
    }
    return ModelError("the function {} is not supported", Quoted(callee.name));
  }

  static Result<Value> Index(const Value& object, const Value& index) {
    if (index.text() != nullptr) {
      ASSIGN_OR_RETURN(const std::string name, Said(index, "an index"));
      return Attribute(object, name);
    }
    const List* const list = object.list();
    if (list == nullptr || index.integer() == nullptr) {
      return ModelError("an index into what is no list is not supported");
    }
    const auto size = static_cast<int64_t>(list->size());
    const int64_t at = *index.integer() < 0 ? *index.integer() + size : *index.integer();
    return at < 0 || at >= size ? Value() : (*list)[static_cast<size_t>(at)];
  }

  static Result<Value> Slice(const std::vector<Value>& parts) {
    const List* const list = parts[0].list();
    if (list == nullptr) return ModelError("a slice of what is no list is not supported");
    const int64_t* const step = parts[3].integer();
    const bool is_reversed = step != nullptr && *step == -1;
    if (is_reversed && parts[1].is_undefined() && parts[2].is_undefined()) {
      return Value::Of(List(list->rbegin(), list->rend()));
    }
    if (step != nullptr && *step != 1) return ModelError("a slice with this step is not supported");
    const auto size = static_cast<int64_t>(list->size());
    const auto bound = [&](const Value& value, int64_t fallback) {
      if (value.integer() == nullptr) return fallback;
      const int64_t at = *value.integer();
      return std::clamp(at < 0 ? at + size : at, int64_t{0}, size);
    };
    const int64_t first = bound(parts[1], 0);
    const int64_t end = std::max(first, bound(parts[2], size));
    return Value::Of(List(list->begin() + first, list->begin() + end));
  }

  static Result<Value> Unary(std::string_view name, const Value& operand) {
    if (name == "not") {
      ASSIGN_OR_RETURN(const bool is_true, IsTrue(operand));
      return Value(!is_true);
    }
    if (operand.integer() == nullptr || *operand.integer() == INT64_MIN) {
      return ModelError("minus what is no number");
    }
    return Value(-*operand.integer());
  }

  Result<Value> Binary(std::string_view name, const Value& left, const Value& right) {
    if (name == "==" || name == "!=") {
      ASSIGN_OR_RETURN(const bool equal, AreEqual(left, right));
      return Value(equal == (name == "=="));
    }
    if (name == "in") return Contains(right, left);
    if (name == "~" || (name == "+" && left.text() != nullptr && right.text() != nullptr)) {
      ASSIGN_OR_RETURN(Text text, Written(left));
      ASSIGN_OR_RETURN(const Text more, Written(right));
      text.Add(more);
      return Value(std::move(text));
    }
    const int64_t* const a = left.integer();
    const int64_t* const b = right.integer();
    // Far from where a sum or product of two could overflow.
    constexpr int64_t kLargest = INT32_MAX;
    if (a == nullptr || b == nullptr || std::max(*a, *b) > kLargest ||
        std::min(*a, *b) < -kLargest) {
      return ModelError("the operator {} is not supported of these", Quoted(name));
    }
    if (name == "+") return Value(*a + *b);
    if (name == "-") return Value(*a - *b);
    if (name == "*") return Value(*a * *b);
    if (name == "<") return Value(*a < *b);
    if (name == "<=") return Value(*a <= *b);
    if (name == ">") return Value(*a > *b);
    if (name == ">=") return Value(*a >= *b);
    if (name == "%" && *b > 0) return Value(((*a % *b) + *b) % *b);
    return ModelError("the operator {} is not supported", Quoted(name));
  }

  static Result<Value> Contains(const Value& container, const Value& value) {
    if (const Dict* const dict = container.dict()) {
      ASSIGN_OR_RETURN(const std::string key, Said(value, "a key"));
      return Value(!Entry(*dict, key).is_undefined());
    }
    if (container.list() != nullptr) {
      ASSIGN_OR_RETURN(const bool is_in,
                       ApplyTest("in", value, {.values = {container}, .named = {}}));
      return Value(is_in);
    }
    ASSIGN_OR_RETURN(const std::string text, Said(container, "looking into"));
    ASSIGN_OR_RETURN(const std::string part, Said(value, "looking for"));
    return Value(text.find(part) != std::string::npos);
  }

  Value Find(const std::string& name) const {
    for (auto scope = scopes_.rbegin(); scope != scopes_.rend(); ++scope) {
      Value value = Entry(*scope, name);
      if (!value.is_undefined()) return value;
    }
    return {};
  }

  Status Count() {
    if (++steps_ <= kMaxSteps) return {};
    return ModelError("it has more than {} steps", kMaxSteps);
  }

  // Once: an error of an inner expression has its line.
  static Error At(size_t line, Error error) {
    if (error.message.starts_with("line ") || error.message.starts_with("it ")) return error;
    return std::move(error).At("line " + std::to_string(line));
  }

  std::vector<Dict> scopes_;  // the innermost last
  Text output_;
  size_t steps_ = 0;
  size_t bytes_ = 0;
};

}  // namespace

Result<Text> Render(std::string_view source, const Dict& variables) {
  if (source.size() > kMaxSource) {
    return ModelError("it has {} bytes, more than the {} that are supported", source.size(),
                      kMaxSource);
  }
  ASSIGN_OR_RETURN(const Body body, ParseTemplate(source));
  return Renderer(variables).Run(body);
}

}  // namespace embedding::jinja
