// JsonNode: a value in a parsed JSON document that knows its path, so that what is wrong with it
// can be said with the place: `model.vocab must be an array`.
#pragma once

#include <simdjson.h>

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/result.h"

namespace embedding {

class JsonNode {
 public:
  JsonNode(simdjson::dom::element element, std::string path)
      : element_(element), path_(std::move(path)) {}

  // A member of this object; an error if this is no object or has no such member.
  Result<JsonNode> Field(std::string_view key) const;
  // The same, but nullopt if it is missing or null.
  std::optional<JsonNode> OptionalField(std::string_view key) const;
  // The elements of this array.
  Result<std::vector<JsonNode>> Elements() const;

  // The value as such a type. Strings live as long as the parser.
  Result<std::string_view> String() const;
  // A string of exactly one character.
  Result<std::string_view> Character() const;
  Result<bool> Bool() const;
  // A whole number from 0 to 2^31 - 1: what an id or a count can be.
  Result<uint32_t> Number() const;

  // Members' values by name; errors as those of Field.
  Result<std::string_view> StringField(std::string_view key) const;
  Result<bool> BoolField(std::string_view key) const;
  Result<uint32_t> NumberField(std::string_view key) const;

  // kModelLoad: the path, then `what`.
  Error Fail(std::string_view what) const;

  const simdjson::dom::element& element() const { return element_; }
  const std::string& path() const { return path_; }

 private:
  simdjson::dom::element element_;
  std::string path_;  // "" for the document
};

}  // namespace embedding
