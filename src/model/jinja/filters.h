// The filters, tests and methods of a template's expressions.
#pragma once

#include <string_view>
#include <utility>
#include <vector>

#include "base/result.h"
#include "model/jinja/value.h"

namespace embedding::jinja {

struct Arguments {
  std::vector<Value> values;  // without names
  std::vector<std::pair<std::string, Value>> named;

  // Argument number `i`, or the one of that name; undefined if there is none.
  Value At(size_t i, std::string_view name) const;
};

// value|name(arguments), value is name(arguments), value.name(arguments). Errors: kModelLoad, for a
// name that is not supported, too, and for what depends on texts that are not known yet.
Result<Value> ApplyFilter(std::string_view name, const Value& value, const Arguments& arguments);
Result<bool> ApplyTest(std::string_view name, const Value& value, const Arguments& arguments);
Result<Value> CallMethod(std::string_view name, const Value& value, const Arguments& arguments);

// value.name or value[name]; undefined if there is none.
Result<Value> Attribute(const Value& value, std::string_view name);

}  // namespace embedding::jinja
