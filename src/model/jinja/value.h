// Values of a template's expressions.
#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <string>
#include <string_view>
#include <type_traits>
#include <utility>
#include <variant>
#include <vector>

#include "base/result.h"
#include "model/jinja/text.h"

namespace embedding::jinja {

struct Value;

struct Undefined {};
struct None {};
using List = std::vector<Value>;
// In the order of the entries. Shared, for a namespace() is changed where it is.
using Dict = std::vector<std::pair<std::string, Value>>;

struct Value {
  using Variant = std::variant<Undefined, None, bool, int64_t, Text, std::shared_ptr<List>,
                               std::shared_ptr<Dict>>;
  Variant is = Undefined{};

  Value() = default;
  template <typename T>
  requires std::is_constructible_v<Variant, T>
  explicit Value(T value) : is(std::move(value)) {}
  static Value Of(std::string_view text) { return Value(Text(std::string(text))); }
  static Value Of(List list) { return Value(std::make_shared<List>(std::move(list))); }
  static Value Of(Dict dict) { return Value(std::make_shared<Dict>(std::move(dict))); }

  bool is_undefined() const { return std::holds_alternative<Undefined>(is); }
  bool is_none() const { return std::holds_alternative<None>(is); }
  const bool* boolean() const { return std::get_if<bool>(&is); }
  const int64_t* integer() const { return std::get_if<int64_t>(&is); }
  const Text* text() const { return std::get_if<Text>(&is); }
  const List* list() const {
    const auto* const shared = std::get_if<std::shared_ptr<List>>(&is);
    return shared == nullptr ? nullptr : shared->get();
  }
  Dict* dict() const {
    const auto* const shared = std::get_if<std::shared_ptr<Dict>>(&is);
    return shared == nullptr ? nullptr : shared->get();
  }
};

// The entry of a dict; undefined if there is none.
Value Entry(const Dict& dict, std::string_view name);
// Errors: kModelLoad, for more entries than can be looked through.
Status SetEntry(Dict& dict, const std::string& name, Value value);

// Bytes that a copy of it takes, and of the texts in a list.
size_t SizeOf(const Value& value);

// Errors, of these and of all that evaluates: kModelLoad, saying what depends on a text that is not
// known yet, or cannot be computed.
Result<bool> IsTrue(const Value& value);
Result<bool> AreEqual(const Value& a, const Value& b);
// As {{ }} writes it.
Result<Text> Written(const Value& value);
// What is said of a text whose every piece must be.
Result<std::string> Said(const Value& value, std::string_view what);

}  // namespace embedding::jinja
