// Errors about fields of a request: each names the field, what was expected and what was given.
#pragma once

#include <cmath>
#include <string>
#include <string_view>
#include <utility>

#include "base/json_document.h"
#include "base/json_repair.h"
#include "base/result.h"
#include "base/utf8.h"

namespace embedding::api {

inline Error FieldError(ErrorCode code, std::string field, std::string_view problem) {
  std::string message = field;
  message += ": ";
  message += problem;
  return {code, std::move(message), std::move(field)};
}

inline Error WrongType(std::string field, std::string_view expected, simdjson::dom::element given) {
  std::string problem = "expected ";
  problem += expected;
  problem += ", got ";
  problem += JsonKind(given);
  return FieldError(ErrorCode::kInvalidArgument, std::move(field), problem);
}

inline Error Missing(std::string field, std::string_view expected) {
  return FieldError(ErrorCode::kInvalidArgument, std::move(field),
                    "missing, expected " + std::string(expected));
}

// The beginning of `text`, for an error message, which goes into JSON: no half character at its
// end.
inline std::string_view Beginning(std::string_view text) {
  constexpr size_t kShownBytes = 80;
  text = text.substr(0, kShownBytes);
  return text.substr(0, FindInvalidUtf8(text));
}

inline std::string ShownJson(simdjson::dom::element value) {
  if (const auto number = JsonAs<double>(value); number && std::abs(*number) == kHuge) {
    return "a number that is out of range";
  }
  return std::string(Beginning(simdjson::minify(value)));
}

inline std::string ItemName(const std::string& name, size_t i) {
  return name + '[' + std::to_string(i) + ']';
}

}  // namespace embedding::api
