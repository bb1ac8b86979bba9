#include "model/jinja/filters.h"

#include <algorithm>
#include <cctype>
#include <string>

#include "text/strip.h"
#include "weights/model_error.h"

namespace embedding::jinja {
namespace {

// As str.strip() does it; of a place, when its text is known.
Result<Value> Strip(const Value& value) {
  const Text* const text = value.text();
  if (text == nullptr) return ModelError("stripping what is no text");
  if (text->is_said()) return Value(Text(std::string(StripWhitespace(text->said()))));
  if (text->pieces().size() != 1) {
    return ModelError("stripping a text that is put together is not supported");
  }
  Piece piece = text->pieces()[0];
  piece.is_stripped = true;
  Text stripped;
  stripped.Add(std::move(piece));
  return Value(std::move(stripped));
}

Result<Value> ChangeCase(const Value& value, std::string_view name) {
  ASSIGN_OR_RETURN(std::string said, Said(value, name));
  for (char& c : said) {
    if (static_cast<unsigned char>(c) >= 0x80) {
      return ModelError("{} of characters beyond ASCII is not supported", name);
    }
    const int changed = name == "upper" ? std::toupper(c) : std::tolower(c);
    c = static_cast<char>(changed);
  }
  return Value(Text(std::move(said)));
}

// selectattr("role", "equalto", "user"), rejectattr; with an attribute alone, whether that is true.
Result<Value> Select(const Value& value, const Arguments& arguments, bool takes) {
  const List* const list = value.list();
  if (list == nullptr) return ModelError("selecting of what is no list");
  if (arguments.values.empty()) return ModelError("selecting needs an attribute");
  ASSIGN_OR_RETURN(const std::string attribute,
                   Said(arguments.values[0], "selecting by an attribute"));
  std::string test;
  if (arguments.values.size() > 1) {
    ASSIGN_OR_RETURN(test, Said(arguments.values[1], "selecting by a test"));
  }
  Arguments of_test;
  if (arguments.values.size() > 2) of_test.values.push_back(arguments.values[2]);
  List selected;
  for (const Value& each : *list) {
    ASSIGN_OR_RETURN(const Value of_each, Attribute(each, attribute));
    bool fits = false;
    if (test.empty()) {
      ASSIGN_OR_RETURN(fits, IsTrue(of_each));
    } else {
      ASSIGN_OR_RETURN(fits, ApplyTest(test, of_each, of_test));
    }
    if (fits == takes) selected.push_back(each);
  }
  return Value::Of(std::move(selected));
}

Result<Value> Map(const Value& value, const Arguments& arguments) {
  const List* const list = value.list();
  if (list == nullptr) return ModelError("map of what is no list");
  const Value by_name = arguments.At(SIZE_MAX, "attribute");
  if (by_name.is_undefined()) return ModelError("map is supported with an attribute alone");
  ASSIGN_OR_RETURN(const std::string attribute, Said(by_name, "map by an attribute"));
  List mapped;
  for (const Value& each : *list) {
    ASSIGN_OR_RETURN(mapped.emplace_back(), Attribute(each, attribute));
  }
  return Value::Of(std::move(mapped));
}

Result<Value> Join(const Value& value, const Arguments& arguments) {
  const List* const list = value.list();
  if (list == nullptr) return ModelError("join of what is no list");
  ASSIGN_OR_RETURN(const Text separator, Written(arguments.At(0, "d")));
  Text joined;
  for (size_t i = 0; i < list->size(); ++i) {
    if (i > 0) joined.Add(separator);
    ASSIGN_OR_RETURN(const Text text, Written((*list)[i]));
    joined.Add(text);
    constexpr size_t kMaxPieces = 10000;  // so that the separators are few
    if (i == kMaxPieces) return ModelError("join of so many texts is not supported");
  }
  return Value(std::move(joined));
}

Result<Value> Length(const Value& value) {
  if (const List* const list = value.list()) return Value(static_cast<int64_t>(list->size()));
  if (const Dict* const dict = value.dict()) return Value(static_cast<int64_t>(dict->size()));
  ASSIGN_OR_RETURN(const std::string said, Said(value, "length"));
  const auto is_first = [](char c) { return (static_cast<unsigned char>(c) & 0xC0) != 0x80; };
  return Value(static_cast<int64_t>(std::count_if(said.begin(), said.end(), is_first)));
}

// What stands in for what is undefined, or, if that is asked for, for what is not true.
Result<Value> Default(const Value& value, const Arguments& arguments) {
  const Value fallback = arguments.At(0, "default_value");
  ASSIGN_OR_RETURN(const bool of_false_too, IsTrue(arguments.At(1, "boolean")));
  bool is_there = !value.is_undefined();
  if (is_there && of_false_too) {
    ASSIGN_OR_RETURN(is_there, IsTrue(value));
  }
  if (is_there) return value;
  return fallback.is_undefined() ? Value::Of("") : fallback;
}

}  // namespace

Value Arguments::At(size_t i, std::string_view name) const {
  if (i < values.size()) return values[i];
  for (const auto& [known, value] : named) {
    if (known == name) return value;
  }
  return {};
}

Result<Value> Attribute(const Value& value, std::string_view name) {
  if (const Dict* const dict = value.dict()) return Entry(*dict, name);
  if (value.is_undefined()) return ModelError("{} of what is undefined", Quoted(name));
  return Value();
}

Result<Value> ApplyFilter(std::string_view name, const Value& value, const Arguments& arguments) {
  if (name == "selectattr") return Select(value, arguments, true);
  if (name == "rejectattr") return Select(value, arguments, false);
  if (name == "map") return Map(value, arguments);
  if (name == "default" || name == "d") return Default(value, arguments);
  if (name == "join") return Join(value, arguments);
  if (name == "length" || name == "count") return Length(value);
  if (name == "upper" || name == "lower") return ChangeCase(value, name);
  if (name == "trim" && arguments.values.empty() && arguments.named.empty()) return Strip(value);
  if (name == "first" || name == "last") {
    const List* const list = value.list();
    if (list == nullptr) return ModelError("{} of what is no list", name);
    if (list->empty()) return Value();
    return name == "first" ? list->front() : list->back();
  }
  if (name == "list" && value.list() != nullptr) return value;
  if (name == "string") {
    ASSIGN_OR_RETURN(Text text, Written(value));
    return Value(std::move(text));
  }
  return ModelError("the filter {} is not supported here", Quoted(name));
}

Result<bool> ApplyTest(std::string_view name, const Value& value, const Arguments& arguments) {
  if (name == "defined") return !value.is_undefined();
  if (name == "undefined") return value.is_undefined();
  if (name == "none") return value.is_none();
  if (name == "string") return value.text() != nullptr;
  if (name == "mapping") return value.dict() != nullptr;
  if (name == "boolean") return value.boolean() != nullptr;
  if (name == "integer" || name == "number") return value.integer() != nullptr;
  if (name == "sequence" || name == "iterable") {
    return value.list() != nullptr || value.dict() != nullptr || value.text() != nullptr;
  }
  if (name == "true" || name == "false") {
    return value.boolean() != nullptr && *value.boolean() == (name == "true");
  }
  const Value other = arguments.At(0, "");
  if (name == "eq" || name == "equalto" || name == "==") return AreEqual(value, other);
  if (name == "ne" || name == "!=") {
    ASSIGN_OR_RETURN(const bool equal, AreEqual(value, other));
    return !equal;
  }
  if (name == "in") {
    const List* const list = other.list();
    if (list == nullptr) return ModelError("\"in\" what is no list");
    for (const Value& each : *list) {
      ASSIGN_OR_RETURN(const bool equal, AreEqual(value, each));
      if (equal) return true;
    }
    return false;
  }
  return ModelError("the test {} is not supported here", Quoted(name));
}

Result<Value> CallMethod(std::string_view name, const Value& value, const Arguments& arguments) {
  if (name == "strip" && arguments.values.empty()) return Strip(value);
  if ((name == "upper" || name == "lower") && arguments.values.empty()) {
    return ChangeCase(value, name);
  }
  if (name == "startswith" || name == "endswith") {
    ASSIGN_OR_RETURN(const std::string said, Said(value, name));
    ASSIGN_OR_RETURN(const std::string part, Said(arguments.At(0, ""), name));
    return Value(name == "startswith" ? said.starts_with(part) : said.ends_with(part));
  }
  if (name == "get" && value.dict() != nullptr) {
    ASSIGN_OR_RETURN(const std::string key, Said(arguments.At(0, ""), "get"));
    Value entry = Entry(*value.dict(), key);
    if (!entry.is_undefined()) return entry;
    return arguments.values.size() > 1 ? arguments.values[1] : Value(None{});
  }
  return ModelError("the method {} is not supported here", Quoted(name));
}

}  // namespace embedding::jinja
