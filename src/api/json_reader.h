// A request's JSON body, read field by field with errors that name the field and what was given.
//
// Unknown fields are ignored, and null stands for an absent field. Not thread-safe: one reader
// serves one request.
#pragma once

#include <simdjson.h>

#include <cstddef>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/result.h"

namespace embedding::api {

class JsonReader {
 public:
  // Errors: kMalformed for what is not JSON or not UTF-8; kInvalidArgument if it is not an object.
  Status Parse(const std::string& body);

  // The fields of the object. Only after Parse has succeeded. Errors: kInvalidArgument.
  bool Has(std::string_view field) const;
  Result<bool> Bool(std::string_view field, bool if_absent) const;
  Result<std::optional<size_t>> PositiveInteger(std::string_view field) const;
  // A string, or an array of 1 to `max_texts` of them; a single string counts as an array of one.
  // Errors besides: kEmpty for []; kMalformed for a text with an unpaired surrogate.
  Result<std::vector<std::string>> Texts(std::string_view field, size_t max_texts) const;
  // Refuses a field that this server cannot honour if it is there and not null.
  Status RequireNull(std::string_view field, std::string_view reason) const;

 private:
  // The field's value, if it is there and not null.
  std::optional<simdjson::dom::element> Find(std::string_view field) const;

  simdjson::dom::parser parser_;
  simdjson::dom::object object_;
};

}  // namespace embedding::api
