#include "api/json_reader.h"

#include <algorithm>
#include <cmath>
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

Error Missing(std::string field, std::string_view expected) {
  return FieldError(ErrorCode::kInvalidArgument, std::move(field),
                    "missing, expected " + std::string(expected));
}

// The beginning of `text`, for an error message, which goes into JSON: no half character at its
// end.
std::string_view Beginning(std::string_view text) {
  constexpr size_t kShownBytes = 40;
  text = text.substr(0, kShownBytes);
  return text.substr(0, FindInvalidUtf8(text));
}

std::string ShownJson(element value) { return std::string(Beginning(simdjson::minify(value))); }

std::string ItemName(const std::string& name, size_t i) {
  return name + '[' + std::to_string(i) + ']';
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

Result<std::vector<int32_t>> Ids(element value, const std::string& name) {
  simdjson::dom::array array;
  if (value.get(array) != simdjson::SUCCESS) {
    return WrongType(name, "a string or an array of token ids", value);
  }
  std::vector<int32_t> ids;
  for (const element item : array) {
    int64_t id = 0;
    if (item.get(id) != simdjson::SUCCESS || id < 0 || id > INT32_MAX) {
      return FieldError(ErrorCode::kInvalidArgument, ItemName(name, ids.size()),
                        "expected a token id, got " + ShownJson(item));
    }
    ids.push_back(static_cast<int32_t>(id));
  }
  return ids;
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
  if (failure == simdjson::MEMALLOC) return Error{ErrorCode::kInternal, "out of memory", ""};
  if (failure != simdjson::SUCCESS) {
    std::string message = "the body is not valid JSON: ";
    if (failure == simdjson::STRING_ERROR) {
      message += "a string has an invalid escape, or one of an unpaired surrogate";
    } else if (failure == simdjson::NUMBER_ERROR) {
      message += "a number is malformed, or too large for 64 bits";
    } else {
      message += simdjson::error_message(failure);
    }
    return Error{ErrorCode::kMalformed, std::move(message), ""};
  }
  if (root.get(object_) != simdjson::SUCCESS) return WrongType("body", "an object", root);
  return {};
}

Status JsonReader::Enter(std::string_view field) {
  const std::optional<element> value = Find(field);
  if (!value) return Missing(NameOf(field), "an object");
  if (value->get(object_) != simdjson::SUCCESS) {
    return WrongType(NameOf(field), "an object", *value);
  }
  prefix_ = NameOf(field) + '.';
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
  if (value->get(flag) != simdjson::SUCCESS) return WrongType(NameOf(field), "a boolean", *value);
  return flag;
}

Result<std::optional<size_t>> JsonReader::PositiveInteger(std::string_view field) const {
  const std::optional<element> value = Find(field);
  if (!value) return std::optional<size_t>();
  uint64_t number = 0;
  if (value->get(number) == simdjson::SUCCESS && number > 0) return std::optional<size_t>(number);
  // 64.0 is an integer too, as JSON Schema has it.
  constexpr double kLargestExact = 0x1p53;
  double real = 0;
  if (value->get(real) == simdjson::SUCCESS && real >= 1 && real <= kLargestExact &&
      real == std::floor(real)) {
    return std::optional(static_cast<size_t>(real));
  }
  if (!value->is_number()) return WrongType(NameOf(field), "a positive integer", *value);
  return FieldError(ErrorCode::kInvalidArgument, NameOf(field),
                    "expected a positive integer, got " + ShownJson(*value));
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
  std::string names;
  for (size_t i = 0; i < choices.size(); ++i) {
    if (*text == choices[i]) return i;
    names += i == 0 ? "" : i + 1 == choices.size() ? " or " : ", ";
    names += choices[i];
  }
  return FieldError(ErrorCode::kInvalidArgument, NameOf(field),
                    "expected " + names + ", got \"" + std::string(Beginning(*text)) + '"');
}

Result<std::optional<std::vector<float>>> JsonReader::Weights(std::string_view field,
                                                              size_t count) const {
  const std::optional<element> value = Find(field);
  if (!value) return std::optional<std::vector<float>>();
  const std::string expected =
      "an array of " + std::to_string(count) + " numbers of at least 0, and not all 0";
  simdjson::dom::array array;
  if (value->get(array) != simdjson::SUCCESS) return WrongType(NameOf(field), expected, *value);
  std::vector<double> numbers;
  double largest = 0;
  bool all_fit = true;
  for (const element item : array) {
    double number = -1;
    all_fit = all_fit && item.get(number) == simdjson::SUCCESS && number >= 0;
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

Result<std::vector<element>> JsonReader::Items(const std::string& name, simdjson::dom::array array,
                                               size_t max_texts) const {
  std::vector<element> items(array.begin(), array.end());
  if (items.empty())
    return FieldError(ErrorCode::kEmpty, name, "expected at least one text, got []");
  if (items.size() > max_texts) {
    return Error{ErrorCode::kInvalidArgument,
                 "batch size " + std::to_string(items.size()) + " > maximum allowed batch size " +
                     std::to_string(max_texts),
                 name};
  }
  return items;
}

Result<std::vector<std::string>> JsonReader::Texts(std::string_view field, size_t max_texts) const {
  constexpr std::string_view kExpected = "a string or an array of strings";
  const std::string name = NameOf(field);
  const std::optional<element> value = Find(field);
  if (!value) return Missing(name, kExpected);
  simdjson::dom::array array;
  if (value->get(array) != simdjson::SUCCESS) {
    ASSIGN_OR_RETURN(std::string text, Text(*value, name, kExpected));
    return std::vector{std::move(text)};
  }
  ASSIGN_OR_RETURN(const std::vector<element> items, Items(name, array, max_texts));
  std::vector<std::string> texts;
  texts.reserve(items.size());
  for (const element item : items) {
    ASSIGN_OR_RETURN(std::string text, Text(item, ItemName(name, texts.size()), "a string"));
    texts.push_back(std::move(text));
  }
  return texts;
}

Result<Inputs> JsonReader::TextsOrIds(std::string_view field, size_t max_texts) const {
  const std::string name = NameOf(field);
  const std::optional<element> value = Find(field);
  Inputs inputs;
  simdjson::dom::array array;
  const bool has_items =
      value && value->get(array) == simdjson::SUCCESS && array.begin() != array.end();
  if (has_items && (*array.begin()).is_number()) {  // [ids]
    ASSIGN_OR_RETURN(std::vector<int32_t> ids, Ids(*value, name));
    inputs.input_ids.push_back(std::move(ids));
  } else if (has_items && (*array.begin()).is_array()) {  // [[ids]]
    ASSIGN_OR_RETURN(const std::vector<element> items, Items(name, array, max_texts));
    for (const element item : items) {
      ASSIGN_OR_RETURN(std::vector<int32_t> ids,
                       Ids(item, ItemName(name, inputs.input_ids.size())));
      inputs.input_ids.push_back(std::move(ids));
    }
  } else {
    ASSIGN_OR_RETURN(inputs.texts, Texts(field, max_texts));
  }
  return inputs;
}

Result<std::vector<std::vector<int32_t>>> JsonReader::TokenIds(std::string_view field,
                                                               size_t max_texts) const {
  const std::optional<element> value = Find(field);
  if (!value || !value->is_array()) {
    return value ? WrongType(NameOf(field), "an array of token ids, or of such arrays", *value)
                 : Missing(NameOf(field), "an array of token ids, or of such arrays");
  }
  ASSIGN_OR_RETURN(Inputs inputs, TextsOrIds(field, max_texts));
  if (inputs.input_ids.empty()) {
    return WrongType(NameOf(field), "an array of token ids, or of such arrays", *value);
  }
  return std::move(inputs.input_ids);
}

Result<Sequences> JsonReader::TextsOrPairs(std::string_view field, size_t max_texts) const {
  constexpr std::string_view kExpected = "a text, or an array of one text or of two";
  const std::string name = NameOf(field);
  const std::optional<element> value = Find(field);
  if (!value) return Missing(name, "a text, a pair, or an array of them");
  Sequences sequences;
  const auto add = [&](element item, const std::string& item_name) -> Status {
    simdjson::dom::array array;
    std::vector<element> parts = {item};
    if (item.get(array) == simdjson::SUCCESS) parts.assign(array.begin(), array.end());
    if (parts.empty() || parts.size() > 2) return WrongType(item_name, kExpected, item);
    ASSIGN_OR_RETURN(std::string text, Text(parts[0], item_name, kExpected));
    sequences.texts.push_back(std::move(text));
    if (parts.size() == 2) {
      ASSIGN_OR_RETURN(std::string second, Text(parts[1], item_name, kExpected));
      sequences.text_pairs.push_back(std::move(second));
    }
    return {};
  };
  simdjson::dom::array array;
  sequences.single = value->get(array) != simdjson::SUCCESS ||
                     (array.begin() != array.end() && (*array.begin()).is_string());
  if (sequences.single) {
    RETURN_IF_ERROR(add(*value, name));
    return sequences;
  }
  ASSIGN_OR_RETURN(const std::vector<element> items, Items(name, array, max_texts));
  for (const element item : items) {
    RETURN_IF_ERROR(add(item, ItemName(name, sequences.texts.size())));
  }
  if (!sequences.text_pairs.empty() && sequences.text_pairs.size() != sequences.texts.size()) {
    return FieldError(ErrorCode::kInvalidArgument, name,
                      "expected pairs throughout or single texts throughout");
  }
  return sequences;
}

Result<std::vector<std::string>> JsonReader::Documents(std::string_view field,
                                                       size_t max_texts) const {
  constexpr std::string_view kExpected = "an array of strings, or of objects with a \"text\"";
  const std::string name = NameOf(field);
  const std::optional<element> value = Find(field);
  if (!value) return Missing(name, kExpected);
  simdjson::dom::array array;
  if (value->get(array) != simdjson::SUCCESS) return WrongType(name, kExpected, *value);
  ASSIGN_OR_RETURN(const std::vector<element> items, Items(name, array, max_texts));
  std::vector<std::string> texts;
  for (const element item : items) {
    const std::string item_name = ItemName(name, texts.size());
    element text = item;
    if (item.is_object() && item.at_key("text").get(text) != simdjson::SUCCESS) {
      return Missing(item_name + ".text", "a string");
    }
    ASSIGN_OR_RETURN(std::string value_text,
                     Text(text, item_name, "a string, or an object with a \"text\""));
    texts.push_back(std::move(value_text));
  }
  return texts;
}

Status JsonReader::RequireNull(std::string_view field, std::string_view reason) const {
  const std::optional<element> value = Find(field);
  if (!value) return {};
  std::string problem(reason);
  problem += ", got ";
  problem += KindOf(*value);
  return FieldError(ErrorCode::kInvalidArgument, NameOf(field), problem);
}

}  // namespace embedding::api
