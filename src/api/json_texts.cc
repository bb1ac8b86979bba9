// The fields of a request that hold its texts.
#include <algorithm>
#include <utility>

#include "api/json_errors.h"
#include "api/json_reader.h"

namespace embedding::api {

using simdjson::dom::element;

namespace {

Result<std::vector<int32_t>> Ids(element value, const std::string& name) {
  const auto array = JsonAs<simdjson::dom::array>(value);
  if (!array) return WrongType(name, "a string or an array of token ids", value);
  std::vector<int32_t> ids;
  for (const element item : *array) {
    const auto id = JsonAs<int64_t>(item);
    if (!id || *id < 0 || *id > INT32_MAX) {
      return FieldError(ErrorCode::kInvalidArgument, ItemName(name, ids.size()),
                        "expected a token id, got " + ShownJson(item));
    }
    ids.push_back(static_cast<int32_t>(*id));
  }
  return ids;
}

}  // namespace

Result<std::vector<element>> JsonReader::Items(const std::string& name, simdjson::dom::array array,
                                               size_t max_texts) const {
  const size_t size = array.size();
  if (size == 0) return FieldError(ErrorCode::kEmpty, name, "expected at least one text, got []");
  if (size > max_texts) {
    return Error{ErrorCode::kInvalidArgument,
                 "batch size " + std::to_string(size) + " > maximum allowed batch size " +
                     std::to_string(max_texts),
                 name};
  }
  return std::vector<element>(array.begin(), array.end());
}

Result<std::vector<std::string>> JsonReader::Texts(std::string_view field, size_t max_texts) const {
  constexpr std::string_view kExpected = "a string or an array of strings";
  const std::string name = NameOf(field);
  const std::optional<element> value = Find(field);
  if (!value) return Missing(name, kExpected);
  const auto array = JsonAs<simdjson::dom::array>(*value);
  if (!array) {
    ASSIGN_OR_RETURN(std::string text, Text(*value, name, kExpected));
    return std::vector{std::move(text)};
  }
  ASSIGN_OR_RETURN(const std::vector<element> items, Items(name, *array, max_texts));
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
  const auto array = value ? JsonAs<simdjson::dom::array>(*value) : std::nullopt;
  const bool has_items = array && array->begin() != array->end();
  if (has_items && (*array->begin()).is_number()) {  // [ids]
    ASSIGN_OR_RETURN(std::vector<int32_t> ids, Ids(*value, name));
    inputs.input_ids.push_back(std::move(ids));
  } else if (has_items && (*array->begin()).is_array()) {  // [[ids]]
    ASSIGN_OR_RETURN(const std::vector<element> items, Items(name, *array, max_texts));
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
    const auto parts = JsonAs<simdjson::dom::array>(item);
    if (!parts) {
      ASSIGN_OR_RETURN(std::string text, Text(item, item_name, kExpected));
      sequences.texts.push_back(std::move(text));
      return {};
    }
    if (parts->size() < 1 || parts->size() > 2) return WrongType(item_name, kExpected, item);
    size_t part = 0;
    for (const element each : *parts) {
      ASSIGN_OR_RETURN(std::string text, Text(each, ItemName(item_name, part), "a string"));
      (part++ == 0 ? sequences.texts : sequences.text_pairs).push_back(std::move(text));
    }
    return {};
  };
  const auto array = JsonAs<simdjson::dom::array>(*value);
  sequences.single = !array || (array->begin() != array->end() && (*array->begin()).is_string());
  if (sequences.single) {
    RETURN_IF_ERROR(add(*value, name));
    return sequences;
  }
  ASSIGN_OR_RETURN(const std::vector<element> items, Items(name, *array, max_texts));
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
  const auto array = JsonAs<simdjson::dom::array>(*value);
  if (!array) return WrongType(name, kExpected, *value);
  ASSIGN_OR_RETURN(const std::vector<element> items, Items(name, *array, max_texts));
  std::vector<std::string> texts;
  for (const element item : items) {
    std::string item_name = ItemName(name, texts.size());
    const auto object = JsonAs<simdjson::dom::object>(item);
    if (object) item_name += ".text";
    const std::optional<element> value_of_text = object ? LastJsonField(*object, "text") : item;
    if (!value_of_text) return Missing(item_name, "a string");
    ASSIGN_OR_RETURN(std::string text,
                     Text(*value_of_text, item_name,
                          object ? "a string" : "a string, or an object with a \"text\""));
    texts.push_back(std::move(text));
  }
  return texts;
}

Result<std::vector<JsonReader>> JsonReader::Objects(std::string_view field,
                                                    size_t max_items) const {
  constexpr std::string_view kExpected = "an array of objects";
  const std::string name = NameOf(field);
  const std::optional<element> value = Find(field);
  if (!value) return Missing(name, kExpected);
  const auto array = JsonAs<simdjson::dom::array>(*value);
  if (!array) return WrongType(name, kExpected, *value);
  ASSIGN_OR_RETURN(const std::vector<element> items, Items(name, *array, max_items));
  std::vector<JsonReader> readers;
  for (const element item : items) {
    JsonReader reader = *this;
    reader.prefix_.clear();
    RETURN_IF_ERROR(reader.ReadObject(item, ItemName(name, readers.size())));
    readers.push_back(std::move(reader));
  }
  return readers;
}

}  // namespace embedding::api
