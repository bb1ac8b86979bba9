// JsonValue: a value in a JSON document that knows its place there, so that what is wrong with it
// is said with the place: "config.json: hidden_size must be an integer from 1 to 65536, but it is
// null".
//
// Fields that nobody asks for are ignored. A value keeps its document alive. Thread-safety:
// immutable.
#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "base/result.h"

namespace simdjson::dom {
class element;  // of base/json_document.h, which takes as long to compile as all else here together
}

namespace embedding {

class JsonValue {
 public:
  // The value of a whole text (JsonDocument). `name` is the document's in errors, which are all of
  // kind `code`: for what is not JSON in UTF-8, and for nesting beyond 64 levels, so that what
  // walks the value may recurse.
  static Result<JsonValue> Parse(std::string_view text, std::string name,
                                 ErrorCode code = ErrorCode::kModelLoad);
  // The same for a file of at most 64 MiB, whose name is its path.
  static Result<JsonValue> FromFile(const std::string& path);
  // The same for one that must be an object.
  static Result<JsonValue> ObjectFromFile(const std::string& path);
  static JsonValue EmptyObject(std::string name);

  bool is_null() const;
  bool is_string() const;
  bool is_array() const;
  bool is_object() const;

  // The value as what it must be. Strings are views of the document.
  Status ExpectObject() const;
  Result<std::string_view> AsString() const;
  Result<bool> AsBool() const;
  // An integer from `min` to `max`; "3.0" is not one.
  Result<int64_t> AsInteger(int64_t min, int64_t max) const;
  // Any number.
  Result<double> AsNumber() const;
  // The elements of an array.
  Result<std::vector<JsonValue>> Elements() const;
  // The fields of an object in the document's order, repeated names too; of anything else none.
  std::vector<std::pair<std::string_view, JsonValue>> Fields() const;

  // A field of an object. Find gives nothing for one that is absent or null, and for a value that
  // is no object; Field an error for one that is absent.
  std::optional<JsonValue> Find(std::string_view name) const;
  bool Has(std::string_view name) const { return Find(name).has_value(); }
  Result<JsonValue> Field(std::string_view name) const;

  // A field as what it must be. A `fallback` is what an absent field stands for, or one that is
  // null; without one the field must be there.
  Result<int64_t> Integer(std::string_view name, int64_t min, int64_t max,
                          std::optional<int64_t> fallback = {}) const;
  Result<double> Number(std::string_view name, std::optional<double> fallback = {}) const;
  Result<bool> Bool(std::string_view name, std::optional<bool> fallback = {}) const;
  Result<std::string> String(std::string_view name, std::optional<std::string> fallback = {}) const;
  // An array of strings; a single string is taken as an array of one.
  Result<std::vector<std::string>> Strings(
      std::string_view name, std::optional<std::vector<std::string>> fallback = {}) const;

  // "<place> <problem>".
  Error Fail(std::string_view problem) const;
  // "<place> must be <what>, but it is <value>", and of a field, which may also be missing.
  Error Wrong(std::string_view what) const;
  Error Wrong(std::string_view name, std::string_view what) const;
  // What it holds, for an error message: the number or string itself, or "an array".
  std::string Shown() const;

  // The same value by another name.
  JsonValue Named(std::string place) const;
  // "config.json", "config.json: rope.theta", "modules.json[1]".
  const std::string& place() const { return place_; }
  // For what is too large to be walked value by value.
  const simdjson::dom::element& element() const;
  // The whole document, with simdjson::SIMDJSON_PADDING readable bytes behind it.
  std::string_view document() const;

 private:
  struct Document;
  struct Node;

  JsonValue(std::shared_ptr<const Node> node, std::string place, bool is_named = false)
      : node_(std::move(node)), place_(std::move(place)), is_named_(is_named) {}

  // A value of the same document.
  JsonValue Part(const simdjson::dom::element& element, std::string place) const;
  std::optional<JsonValue> FindAny(std::string_view name) const;
  std::string PlaceOf(std::string_view name) const;

  std::shared_ptr<const Node> node_;
  std::string place_;  // "" for a document without a name
  bool is_named_;      // place_ is a name, behind which comes ": "
};

}  // namespace embedding
