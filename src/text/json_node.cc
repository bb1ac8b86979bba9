#include "text/json_node.h"

#include <limits>
#include <utility>

#include "base/utf8.h"

namespace embedding {

Error JsonNode::Fail(std::string_view what) const {
  std::string message = path_.empty() ? "the document" : path_;
  message += ' ';
  message += what;
  return {ErrorCode::kModelLoad, std::move(message), ""};
}

Result<JsonNode> JsonNode::Field(std::string_view key) const {
  simdjson::dom::object object;
  if (element_.get_object().get(object) != simdjson::SUCCESS) return Fail("must be an object");
  simdjson::dom::element value;
  if (object.at_key(key).get(value) != simdjson::SUCCESS) {
    return Fail("lacks \"" + std::string(key) + "\"");
  }
  return JsonNode(value, path_.empty() ? std::string(key) : path_ + "." + std::string(key));
}

std::optional<JsonNode> JsonNode::OptionalField(std::string_view key) const {
  Result<JsonNode> field = Field(key);
  if (!field || field->element_.is_null()) return std::nullopt;
  return *std::move(field);
}

Result<std::vector<JsonNode>> JsonNode::Elements() const {
  simdjson::dom::array array;
  if (element_.get_array().get(array) != simdjson::SUCCESS) return Fail("must be an array");
  std::vector<JsonNode> elements;
  for (const simdjson::dom::element value : array) {
    elements.emplace_back(value, path_ + "[" + std::to_string(elements.size()) + "]");
  }
  return elements;
}

Result<std::string_view> JsonNode::String() const {
  std::string_view value;
  if (element_.get_string().get(value) != simdjson::SUCCESS) return Fail("must be a string");
  return value;
}

Result<std::string_view> JsonNode::Character() const {
  ASSIGN_OR_RETURN(const std::string_view value, String());
  if (value.empty() || DecodeUtf8(value, 0).size_bytes != value.size()) {
    return Fail("must be one character");
  }
  return value;
}

Result<bool> JsonNode::Bool() const {
  bool value = false;
  if (element_.get_bool().get(value) != simdjson::SUCCESS) return Fail("must be true or false");
  return value;
}

Result<uint32_t> JsonNode::Number() const {
  uint64_t value = 0;
  if (element_.get_uint64().get(value) != simdjson::SUCCESS ||
      value > std::numeric_limits<int32_t>::max()) {
    return Fail("must be a whole number from 0 to 2147483647");
  }
  return static_cast<uint32_t>(value);
}

Result<std::string_view> JsonNode::StringField(std::string_view key) const {
  ASSIGN_OR_RETURN(const JsonNode field, Field(key));
  return field.String();
}

Result<bool> JsonNode::BoolField(std::string_view key) const {
  ASSIGN_OR_RETURN(const JsonNode field, Field(key));
  return field.Bool();
}

Result<uint32_t> JsonNode::NumberField(std::string_view key) const {
  ASSIGN_OR_RETURN(const JsonNode field, Field(key));
  return field.Number();
}

}  // namespace embedding
