#include "base/json_value.h"

#include <algorithm>

#include "base/json_document.h"
#include "base/mapped_file.h"
#include "base/quoted.h"

namespace embedding {
namespace {

namespace dom = simdjson::dom;

constexpr size_t kMaxDepth = 64;
constexpr size_t kShownBytes = 120;  // of a name in a place
constexpr size_t kMaxFileBytes = size_t{64} << 20;
// Each value may become a JsonValue, of some hundred bytes.
constexpr ptrdiff_t kMaxFileValues = ptrdiff_t{2} << 20;

}  // namespace

struct JsonValue::Document {
  ErrorCode code = ErrorCode::kModelLoad;
  std::string text;  // with room for simdjson's padding behind it
  JsonDocument json;
};

struct JsonValue::Node {
  std::shared_ptr<const Document> document;
  dom::element element;
};

Result<JsonValue> JsonValue::Parse(std::string_view text, std::string name, ErrorCode code) {
  const auto document = std::make_shared<Document>();
  document->code = code;
  document->text.reserve(text.size() + simdjson::SIMDJSON_PADDING);
  document->text = text;
  const simdjson::error_code failure = document->json.Parse(document->text, kMaxDepth);
  if (failure == simdjson::SUCCESS) {
    const dom::element root = document->json.root();
    return JsonValue(std::make_shared<Node>(Node{document, root}), std::move(name), true);
  }
  std::string problem = "not valid JSON: ";
  if (failure == simdjson::DEPTH_ERROR) {
    problem = "nested more than " + std::to_string(kMaxDepth) + " levels deep";
  } else if (failure == simdjson::MEMALLOC) {
    problem = "not read: out of memory";
  } else {
    problem += simdjson::error_message(failure);
  }
  Error error = {code, std::move(problem), ""};
  return name.empty() ? error : std::move(error).At(name);
}

Result<JsonValue> JsonValue::FromFile(const std::string& path) {
  ASSIGN_OR_RETURN(const MappedFile file, MappedFile::Open(path));
  const std::span<const std::byte> bytes = file.bytes();
  const auto refuse = [&](const std::string& problem) {
    return Error{ErrorCode::kModelLoad, path + ": " + problem, ""};
  };
  if (bytes.empty()) return refuse("the file is empty");
  if (bytes.size() > kMaxFileBytes) {
    return refuse(std::to_string(bytes.size()) + " bytes are too many for a configuration file");
  }
  const std::string_view text = {reinterpret_cast<const char*>(bytes.data()), bytes.size()};
  if (std::count(text.begin(), text.end(), ',') > kMaxFileValues) {
    return refuse("too many values for a configuration file");
  }
  return Parse(text, path);
}

Result<JsonValue> JsonValue::ObjectFromFile(const std::string& path) {
  ASSIGN_OR_RETURN(JsonValue value, FromFile(path));
  RETURN_IF_ERROR(value.ExpectObject());
  return value;
}

JsonValue JsonValue::EmptyObject(std::string name) { return *Parse("{}", std::move(name)); }

JsonValue JsonValue::Part(const dom::element& element, std::string place) const {
  return {std::make_shared<Node>(Node{node_->document, element}), std::move(place)};
}

const dom::element& JsonValue::element() const { return node_->element; }

bool JsonValue::is_null() const { return element().is_null(); }
bool JsonValue::is_string() const { return element().is_string(); }
bool JsonValue::is_array() const { return element().is_array(); }
bool JsonValue::is_object() const { return element().is_object(); }

Status JsonValue::ExpectObject() const {
  if (is_object()) return {};
  return Wrong(is_named_ ? "a JSON object" : "an object");
}

Result<std::string_view> JsonValue::AsString() const {
  if (const auto value = JsonAs<std::string_view>(element())) return *value;
  return Wrong("a string");
}

Result<bool> JsonValue::AsBool() const {
  if (const auto value = JsonAs<bool>(element())) return *value;
  return Wrong("true or false");
}

Result<int64_t> JsonValue::AsInteger(int64_t min, int64_t max) const {
  const auto value = JsonAs<int64_t>(element());
  if (value && *value >= min && *value <= max) return *value;
  return Wrong("an integer from " + std::to_string(min) + " to " + std::to_string(max));
}

Result<double> JsonValue::AsNumber() const {
  if (const auto value = JsonAs<double>(element())) return *value;
  return Wrong("a number");
}

Result<std::vector<JsonValue>> JsonValue::Elements() const {
  const auto array = JsonAs<dom::array>(element());
  if (!array) return Wrong(is_named_ ? "a JSON array" : "an array");
  std::vector<JsonValue> elements;
  for (const dom::element value : *array) {
    elements.push_back(Part(value, place_ + '[' + std::to_string(elements.size()) + ']'));
  }
  return elements;
}

std::vector<std::pair<std::string_view, JsonValue>> JsonValue::Fields() const {
  std::vector<std::pair<std::string_view, JsonValue>> fields;
  const auto object = JsonAs<dom::object>(element());
  if (!object) return fields;
  for (const auto& [name, value] : *object) {
    fields.emplace_back(name, Part(value, PlaceOf(name)));
  }
  return fields;
}

std::optional<JsonValue> JsonValue::FindAny(std::string_view name) const {
  const auto object = JsonAs<dom::object>(element());
  const auto last = object ? LastJsonField(*object, name) : std::nullopt;
  if (!last) return std::nullopt;
  return Part(*last, PlaceOf(name));
}

std::optional<JsonValue> JsonValue::Find(std::string_view name) const {
  std::optional<JsonValue> found = FindAny(name);
  return found && found->is_null() ? std::nullopt : found;
}

Result<JsonValue> JsonValue::Field(std::string_view name) const {
  RETURN_IF_ERROR(ExpectObject());
  std::optional<JsonValue> found = FindAny(name);
  if (!found) return Error{node_->document->code, PlaceOf(name) + " is missing", ""};
  return *std::move(found);
}

Result<int64_t> JsonValue::Integer(std::string_view name, int64_t min, int64_t max,
                                   std::optional<int64_t> fallback) const {
  if (const auto field = Find(name)) return field->AsInteger(min, max);
  if (fallback) return *fallback;
  return Wrong(name, "an integer from " + std::to_string(min) + " to " + std::to_string(max));
}

Result<double> JsonValue::Number(std::string_view name, std::optional<double> fallback) const {
  if (const auto field = Find(name)) return field->AsNumber();
  if (fallback) return *fallback;
  return Wrong(name, "a number");
}

Result<bool> JsonValue::Bool(std::string_view name, std::optional<bool> fallback) const {
  if (const auto field = Find(name)) return field->AsBool();
  if (fallback) return *fallback;
  return Wrong(name, "true or false");
}

Result<std::string> JsonValue::String(std::string_view name,
                                      std::optional<std::string> fallback) const {
  if (const auto field = Find(name)) {
    ASSIGN_OR_RETURN(const std::string_view value, field->AsString());
    return std::string(value);
  }
  if (fallback) return *std::move(fallback);
  return Wrong(name, "a string");
}

Result<std::vector<std::string>> JsonValue::Strings(
    std::string_view name, std::optional<std::vector<std::string>> fallback) const {
  const std::optional<JsonValue> field = Find(name);
  if (!field && fallback) return *std::move(fallback);
  if (!field || !(field->is_string() || field->is_array())) {
    return Wrong(name, "an array of strings");
  }
  std::vector<JsonValue> items = {*field};
  if (field->is_array()) {
    ASSIGN_OR_RETURN(items, field->Elements());
  }
  std::vector<std::string> strings;
  for (const JsonValue& item : items) {
    ASSIGN_OR_RETURN(const std::string_view text, item.AsString());
    strings.emplace_back(text);
  }
  return strings;
}

Error JsonValue::Fail(std::string_view problem) const {
  std::string message = place_.empty() ? "the document" : place_;
  message += is_named_ && !place_.empty() ? ": " : " ";
  message += problem;
  return {node_->document->code, std::move(message), ""};
}

Error JsonValue::Wrong(std::string_view what) const {
  return Fail("must be " + std::string(what) + ", but it is " + Shown());
}

Error JsonValue::Wrong(std::string_view name, std::string_view what) const {
  if (const auto field = FindAny(name)) return field->Wrong(what);
  return {node_->document->code, PlaceOf(name) + " is missing; it must be " + std::string(what),
          ""};
}

std::string JsonValue::Shown() const {
  if (is_array() || is_object()) return "an " + std::string(JsonKind(element()));
  if (const auto text = JsonAs<std::string_view>(element())) return Quoted(*text);
  return simdjson::minify(element());
}

JsonValue JsonValue::Named(std::string place) const { return {node_, std::move(place), true}; }

std::string_view JsonValue::document() const { return node_->document->text; }

std::string JsonValue::PlaceOf(std::string_view name) const {
  std::string shown = Printable(name, kShownBytes);
  if (place_.empty()) return shown;
  return place_ + (is_named_ ? ": " : ".") + shown;
}

}  // namespace embedding
