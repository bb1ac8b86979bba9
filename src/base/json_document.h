// Reading JSON with simdjson, by the rules that hold for every document here, be it a model's file,
// a hub's answer or a request: a byte order mark before it is let be, numbers may be of any size,
// and of fields of one name the last counts, as Python's json has it.
//
// What is wrong with a value is worded by whom it concerns: JsonValue for files, api::JsonReader
// for requests.
#pragma once

#include <simdjson.h>

#include <cstddef>
#include <optional>
#include <string>
#include <string_view>

namespace embedding {

// A text as simdjson has read it. Thread-safety: immutable after Parse.
class JsonDocument {
 public:
  // Reads `text`, which need not stay. Numbers that simdjson does not take are put right in it
  // (ReplaceLargeNumbers). Gives what else is wrong: UTF8_ERROR, DEPTH_ERROR for what is nested
  // more than `max_depth` levels deep, MEMALLOC, or one of the codes for what is not JSON.
  // A copy of the text is saved where it has SIMDJSON_PADDING bytes of capacity behind its end.
  simdjson::error_code Parse(std::string& text, size_t max_depth);

  // The value of the whole text, once Parse has succeeded. Valid as long as the document.
  simdjson::dom::element root() const { return root_; }

 private:
  simdjson::error_code ParseOnce(const std::string& text, size_t max_depth);

  simdjson::dom::parser parser_;  // has what root_ shows
  simdjson::dom::element root_;
};

// The value as a T (int64_t, uint64_t, double, bool, std::string_view, dom::array, dom::object) if
// it is one. Integers are doubles too, and strings views of the document.
template <typename T>
std::optional<T> JsonAs(simdjson::dom::element value) {
  T as{};
  if (value.get(as) != simdjson::SUCCESS) return std::nullopt;
  return as;
}

// The object's last field of that name, null or not.
std::optional<simdjson::dom::element> LastJsonField(simdjson::dom::object object,
                                                    std::string_view name);

// "array", "object", "string", "number", "boolean" or "null".
std::string_view JsonKind(simdjson::dom::element value);

}  // namespace embedding
