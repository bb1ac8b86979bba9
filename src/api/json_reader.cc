#include "api/json_reader.h"

#include <strings.h>

#include <algorithm>
#include <array>
#include <charconv>
#include <cmath>
#include <utility>

#include "api/json_errors.h"
#include "base/json_repair.h"
#include "base/utf8.h"

namespace embedding::api {

using simdjson::dom::element;

namespace {

// As deep as bodies may be nested: nothing that reads them recurses.
constexpr size_t kMaxDepth = 1024;

// "a, b or c"
std::string Enumerated(std::span<const std::string_view> names) {
  std::string text;
  for (size_t i = 0; i < names.size(); ++i) {
    text += i == 0 ? "" : i + 1 == names.size() ? " or " : ", ";
    text += names[i];
  }
  return text;
}

// What a body that is no JSON often is instead, and what to do.
std::string_view AdviceOn(std::string_view body) {
  body.remove_prefix(std::min(body.find_first_not_of(" \t\r\n"), body.size()));
  if (body.starts_with("--")) return "; it looks like a multipart form: send JSON";
  if (body.find('\0') != std::string_view::npos) return "; it looks like UTF-16: send UTF-8";
  const bool begins_as_json = body.starts_with('{') || body.starts_with('[');
  if (!begins_as_json && body.find('=') != std::string_view::npos) {
    return "; it looks like a form: send JSON (json= in Python's requests)";
  }
  for (const std::string_view word : {"NaN", "Infinity"}) {
    if (body.find(word) != std::string_view::npos) return "; NaN and Infinity are no JSON";
  }
  return body.find('\'') < body.find('"') ? "; JSON has double quotes" : "";
}

// What is wrong with a body that could not be read.
Error Unreadable(simdjson::error_code failure, std::string_view body) {
  if (failure == simdjson::MEMALLOC) return {ErrorCode::kInternal, "out of memory", ""};
  if (failure == simdjson::UTF8_ERROR) {
    return {ErrorCode::kMalformed,
            "the body is not valid UTF-8 at byte " + std::to_string(FindInvalidUtf8(body)), ""};
  }
  std::string message = "the body is not valid JSON: ";
  if (failure == simdjson::STRING_ERROR) {
    message += "a string has an invalid escape";
  } else if (failure == simdjson::NUMBER_ERROR) {
    message += "a number is malformed, or too large for 64 bits";
  } else {
    message += simdjson::error_message(failure);
  }
  message += AdviceOn(body);
  return {ErrorCode::kMalformed, std::move(message), ""};
}

}  // namespace

Status JsonReader::Parse(std::string& body) {
  if (body.empty()) return Error{ErrorCode::kMalformed, "the body is empty, expected JSON", ""};
  has_unpaired_surrogates_ = ReplaceUnpairedSurrogates(body);
  const auto document = std::make_shared<JsonDocument>();
  const simdjson::error_code failure = document->Parse(body, kMaxDepth);
  if (failure != simdjson::SUCCESS) return Unreadable(failure, body);
  document_ = document;
  return ReadObject(document->root(), "body");
}

Status JsonReader::ReadObject(element value, std::string_view name) {
  const auto object = JsonAs<simdjson::dom::object>(value);
  if (!object) return WrongType(std::string(name), "an object", value);
  object_ = *object;
  return {};
}

Status JsonReader::Enter(std::string_view field) {
  const std::optional<element> value = Find(field);
  std::string name = NameOf(field);
  if (!value) return Missing(std::move(name), "an object");
  RETURN_IF_ERROR(ReadObject(*value, name));
  prefix_ = std::move(name) + '.';
  return {};
}

std::optional<element> JsonReader::Find(std::string_view field) const {
  const std::optional<element> found = LastJsonField(object_, field);
  return found && found->is_null() ? std::nullopt : found;
}

bool JsonReader::Has(std::string_view field) const { return Find(field).has_value(); }

size_t JsonReader::Count(std::string_view field) const {
  const std::optional<element> value = Find(field);
  if (!value) return 0;
  const auto array = JsonAs<simdjson::dom::array>(*value);
  const bool is_token_ids =
      array && array->begin() != array->end() && (*array->begin()).is_number();
  return array && !is_token_ids ? array->size() : 1;
}

Result<std::string> JsonReader::Text(element value, std::string field,
                                     std::string_view expected) const {
  const auto text = JsonAs<std::string_view>(value);
  if (!text) return WrongType(std::move(field), expected, value);
  if (has_unpaired_surrogates_ && text->find(kUnpairedSurrogate) != std::string_view::npos) {
    return FieldError(ErrorCode::kMalformed, std::move(field), "contains an unpaired surrogate");
  }
  return std::string(*text);
}

Result<bool> JsonReader::Bool(std::string_view field, bool if_absent) const {
  const std::optional<element> value = Find(field);
  if (!value) return if_absent;
  if (const auto flag = JsonAs<bool>(*value)) return *flag;
  const auto number = JsonAs<double>(*value);
  if (number && (*number == 0 || *number == 1)) return *number == 1;
  if (const auto text = JsonAs<std::string_view>(*value)) {
    constexpr std::array kFalse = {"0", "off", "f", "false", "n", "no"};
    constexpr std::array kTrue = {"1", "on", "t", "true", "y", "yes"};
    const auto is_text = [word = std::string(*text)](const char* name) {
      return ::strcasecmp(word.c_str(), name) == 0;
    };
    if (std::any_of(kFalse.begin(), kFalse.end(), is_text)) return false;
    if (std::any_of(kTrue.begin(), kTrue.end(), is_text)) return true;
  }
  if (!value->is_number() && !value->is_string()) {
    return WrongType(NameOf(field), "a boolean", *value);
  }
  return FieldError(ErrorCode::kInvalidArgument, NameOf(field),
                    "expected a boolean, got " + ShownJson(*value));
}

std::optional<int64_t> JsonReader::Integer(element value) {
  if (const auto number = JsonAs<int64_t>(value)) return number;
  if (value.is_uint64()) return INT64_MAX;  // or more, which is as good
  // 64.0 is an integer too, as JSON Schema has it.
  constexpr double kLargestExact = 0x1p53;
  const auto real = JsonAs<double>(value);
  if (real && std::abs(*real) <= kLargestExact && *real == std::floor(*real)) {
    return static_cast<int64_t>(*real);
  }
  const auto digits = JsonAs<std::string_view>(value);
  constexpr size_t kMostDigits = 18;  // which fit into 64 bits
  if (!digits || digits->size() > kMostDigits) return std::nullopt;
  int64_t number = 0;
  const char* end = digits->data() + digits->size();
  const auto [stopped, error] = std::from_chars(digits->data(), end, number);
  return error == std::errc() && stopped == end ? std::optional(number) : std::nullopt;
}

Error JsonReader::NoInteger(std::string_view field, std::string_view expected,
                            element value) const {
  if (!value.is_number() && !value.is_string()) return WrongType(NameOf(field), expected, value);
  return FieldError(ErrorCode::kInvalidArgument, NameOf(field),
                    "expected " + std::string(expected) + ", got " + ShownJson(value));
}

Result<std::optional<size_t>> JsonReader::PositiveInteger(std::string_view field) const {
  const std::optional<element> value = Find(field);
  if (!value) return std::optional<size_t>();
  const std::optional<int64_t> number = Integer(*value);
  if (number && *number > 0) return std::optional(static_cast<size_t>(*number));
  return NoInteger(field, "a positive integer", *value);
}

Result<std::optional<size_t>> JsonReader::TokenLimit(std::string_view field) const {
  const std::optional<element> value = Find(field);
  if (!value || Integer(*value) == -1) return std::optional<size_t>();
  const std::optional<int64_t> number = Integer(*value);
  if (number && *number > 0) return std::optional(static_cast<size_t>(*number));
  return NoInteger(field, "a positive integer, or -1 for as many as the model takes", *value);
}

Result<std::optional<std::string>> JsonReader::String(std::string_view field) const {
  const std::optional<element> value = Find(field);
  if (!value) return std::optional<std::string>();
  ASSIGN_OR_RETURN(std::string text, Text(*value, NameOf(field), "a string"));
  return std::optional(std::move(text));
}

Result<std::string> JsonReader::RequiredString(std::string_view field) const {
  ASSIGN_OR_RETURN(std::optional<std::string> text, String(field));
  if (!text) return Missing(NameOf(field), "a string");
  return *std::move(text);
}

Result<size_t> JsonReader::Choice(std::string_view field,
                                  std::span<const std::string_view> choices) const {
  ASSIGN_OR_RETURN(const std::optional<std::string> text, String(field));
  if (!text) return size_t{0};
  const auto found = std::find(choices.begin(), choices.end(), *text);
  if (found != choices.end()) return static_cast<size_t>(found - choices.begin());
  return FieldError(
      ErrorCode::kInvalidArgument, NameOf(field),
      "expected " + Enumerated(choices) + ", got \"" + std::string(Beginning(*text)) + '"');
}

Result<std::optional<std::vector<float>>> JsonReader::Weights(std::string_view field,
                                                              size_t count) const {
  const std::optional<element> value = Find(field);
  if (!value) return std::optional<std::vector<float>>();
  constexpr double kLargest = 1e307;  // below kHuge
  const std::string expected =
      "an array of " + std::to_string(count) + " numbers from 0 to 1e307, and not all 0";
  const auto array = JsonAs<simdjson::dom::array>(*value);
  if (!array) return WrongType(NameOf(field), expected, *value);
  std::vector<double> numbers;
  double largest = 0;
  bool all_fit = true;
  for (const element item : *array) {
    const double number = JsonAs<double>(item).value_or(-1);
    all_fit = all_fit && number >= 0 && number <= kLargest;
    numbers.push_back(number);
    largest = std::max(largest, number);
  }
  if (!all_fit || numbers.size() != count || largest == 0) {
    return FieldError(ErrorCode::kInvalidArgument, NameOf(field), "expected " + expected);
  }
  // Divided by a power of two, which rounds nothing.
  int exponent = 0;
  (void)std::frexp(largest, &exponent);
  std::vector<float> weights(numbers.size());
  std::transform(numbers.begin(), numbers.end(), weights.begin(), [exponent](double number) {
    return static_cast<float>(std::ldexp(number, -exponent));
  });
  return std::optional(std::move(weights));
}

Status JsonReader::RefuseAllOf(std::span<const UnsupportedField> fields) const {
  for (const UnsupportedField& field : fields) {
    const std::optional<element> value = Find(field.name);
    if (!value || (!field.harmless.empty() && simdjson::minify(*value) == field.harmless)) continue;
    std::string problem = "not supported here, ";
    problem += field.advice;
    problem += "; got ";
    problem += ShownJson(*value);
    return FieldError(ErrorCode::kInvalidArgument, NameOf(field.name), problem);
  }
  return {};
}

Status JsonReader::RefuseAllBut(std::span<const std::string_view> known) const {
  for (const auto& [key, value] : object_) {
    if (value.is_null() || std::find(known.begin(), known.end(), key) != known.end()) continue;
    return FieldError(ErrorCode::kInvalidArgument, NameOf(Beginning(key)),
                      "not supported here, expected " + Enumerated(known));
  }
  return {};
}

}  // namespace embedding::api
