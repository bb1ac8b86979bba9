#include "api/json_reader.h"

#include <utility>

#include "base/utf8.h"

namespace embedding::api {
namespace {

using simdjson::dom::element;
using simdjson::dom::element_type;

std::string_view KindOf(element value) {
  switch (value.type()) {
    case element_type::ARRAY:
      return "array";
    case element_type::OBJECT:
      return "object";
    case element_type::STRING:
      return "string";
    case element_type::BOOL:
      return "boolean";
    case element_type::NULL_VALUE:
      return "null";
    default:
      return "number";
  }
}

Error FieldError(ErrorCode code, std::string field, std::string_view problem) {
  std::string message = field;
  message += ": ";
  message += problem;
  return {code, std::move(message), std::move(field)};
}

Error WrongType(std::string field, std::string_view expected, element given) {
  std::string problem = "expected ";
  problem += expected;
  problem += ", got ";
  problem += KindOf(given);
  return FieldError(ErrorCode::kInvalidArgument, std::move(field), problem);
}

Result<std::string> Text(element value, std::string field, std::string_view expected) {
  std::string_view text;
  if (value.get(text) != simdjson::SUCCESS) return WrongType(std::move(field), expected, value);
  // Escapes are resolved after the body has been checked, and not every version of simdjson refuses
  // an unpaired surrogate among them.
  if (!simdjson::validate_utf8(text)) {
    return FieldError(ErrorCode::kMalformed, std::move(field), "contains an unpaired surrogate");
  }
  return std::string(text);
}

}  // namespace

Status JsonReader::Parse(const std::string& body) {
  if (body.empty()) return Error{ErrorCode::kMalformed, "the body is empty, expected JSON", ""};
  element root;
  const simdjson::error_code failure = parser_.parse(body).get(root);
  if (failure == simdjson::UTF8_ERROR) {
    return Error{ErrorCode::kMalformed,
                 "the body is not valid UTF-8 at byte " + std::to_string(FindInvalidUtf8(body)),
                 ""};
  }
  if (failure != simdjson::SUCCESS) {
    std::string message = "the body is not valid JSON: ";
    message += failure == simdjson::STRING_ERROR
                   ? "a string has an invalid escape, or one of an unpaired surrogate"
                   : simdjson::error_message(failure);
    return Error{ErrorCode::kMalformed, std::move(message), ""};
  }
  if (root.get(object_) != simdjson::SUCCESS) return WrongType("body", "an object", root);
  return {};
}

std::optional<element> JsonReader::Find(std::string_view field) const {
  element value;
  if (object_.at_key(field).get(value) != simdjson::SUCCESS || value.is_null()) {
    return std::nullopt;
  }
  return value;
}

bool JsonReader::Has(std::string_view field) const { return Find(field).has_value(); }

Result<bool> JsonReader::Bool(std::string_view field, bool if_absent) const {
  const std::optional<element> value = Find(field);
  if (!value) return if_absent;
  bool flag = false;
  if (value->get(flag) != simdjson::SUCCESS) {
    return WrongType(std::string(field), "a boolean", *value);
  }
  return flag;
}

Result<std::optional<size_t>> JsonReader::PositiveInteger(std::string_view field) const {
  const std::optional<element> value = Find(field);
  if (!value) return std::optional<size_t>();
  uint64_t number = 0;
  if (value->get(number) == simdjson::SUCCESS && number > 0) return std::optional<size_t>(number);
  if (!value->is_number()) return WrongType(std::string(field), "a positive integer", *value);
  return FieldError(ErrorCode::kInvalidArgument, std::string(field),
                    "expected a positive integer, got " + simdjson::minify(*value));
}

Result<std::vector<std::string>> JsonReader::Texts(std::string_view field, size_t max_texts) const {
  constexpr std::string_view kExpected = "a string or an array of strings";
  const std::string name(field);
  const std::optional<element> value = Find(field);
  if (!value) {
    return FieldError(ErrorCode::kInvalidArgument, name,
                      "missing, expected " + std::string(kExpected));
  }
  std::vector<std::string> texts;
  simdjson::dom::array array;
  if (value->get(array) != simdjson::SUCCESS) {
    ASSIGN_OR_RETURN(std::string text, Text(*value, name, kExpected));
    texts.push_back(std::move(text));
    return texts;
  }
  size_t count = 0;  // array::size() saturates, and is not in every version
  for (const element unused : array) {
    (void)unused;
    ++count;
  }
  if (count == 0) return FieldError(ErrorCode::kEmpty, name, "expected at least one text, got []");
  if (count > max_texts) {
    return Error{ErrorCode::kInvalidArgument,
                 "batch size " + std::to_string(count) + " > maximum allowed batch size " +
                     std::to_string(max_texts),
                 name};
  }
  texts.reserve(count);
  for (const element item : array) {
    ASSIGN_OR_RETURN(std::string text,
                     Text(item, name + '[' + std::to_string(texts.size()) + ']', "a string"));
    texts.push_back(std::move(text));
  }
  return texts;
}

Status JsonReader::RequireNull(std::string_view field, std::string_view reason) const {
  const std::optional<element> value = Find(field);
  if (!value) return {};
  std::string problem(reason);
  problem += ", got ";
  problem += KindOf(*value);
  return FieldError(ErrorCode::kInvalidArgument, std::string(field), problem);
}

}  // namespace embedding::api
