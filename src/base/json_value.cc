#include "base/json_value.h"

#include <algorithm>

#include "base/json_repair.h"
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
// For less simdjson allocates anew, and forgets the depth.
constexpr size_t kMinCapacityBytes = 64;

}  // namespace

struct JsonValue::Document {
  ErrorCode code = ErrorCode::kModelLoad;
  std::string text;  // with room for simdjson's padding behind it
  dom::parser parser;

  simdjson::error_code Parse(dom::element& root) {
    const simdjson::error_code failure =
        parser.allocate(std::max(text.size(), kMinCapacityBytes), kMaxDepth);
    return failure != simdjson::SUCCESS ? failure
                                        : parser.parse(text.data(), text.size(), false).get(root);
  }
};

Result<JsonValue> JsonValue::Parse(std::string_view text, std::string name, ErrorCode code) {
  constexpr std::string_view kByteOrderMark = "\xEF\xBB\xBF";
  if (text.starts_with(kByteOrderMark)) text.remove_prefix(kByteOrderMark.size());
  const auto document = std::make_shared<Document>();
  document->code = code;
  document->text.reserve(text.size() + simdjson::SIMDJSON_PADDING);
  document->text = text;
  dom::element root;
  simdjson::error_code failure = document->Parse(root);
  // Versions of simdjson name what is wrong with such a number differently.
  const bool may_be_a_number = failure != simdjson::SUCCESS && failure != simdjson::UTF8_ERROR &&
                               failure != simdjson::MEMALLOC && failure != simdjson::DEPTH_ERROR;
  if (may_be_a_number && ReplaceLargeNumbers(document->text)) {
    failure = document->Parse(root);
  }
  if (failure == simdjson::SUCCESS) return JsonValue(document, root, std::move(name), true);
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

Status JsonValue::ExpectObject() const {
  if (is_object()) return {};
  return Wrong(is_named_ ? "a JSON object" : "an object");
}

Result<std::string_view> JsonValue::AsString() const {
  std::string_view value;
  if (element_.get(value) != simdjson::SUCCESS) return Wrong("a string");
  return value;
}

Result<bool> JsonValue::AsBool() const {
  bool value = false;
  if (element_.get(value) != simdjson::SUCCESS) return Wrong("true or false");
  return value;
}

Result<int64_t> JsonValue::AsInteger(int64_t min, int64_t max) const {
  int64_t value = 0;
  const bool fits = element_.is_int64() && element_.get(value) == simdjson::SUCCESS;
  if (!fits || value < min || value > max) {
    return Wrong("an integer from " + std::to_string(min) + " to " + std::to_string(max));
  }
  return value;
}

Result<double> JsonValue::AsNumber() const {
  double value = 0;
  if (element_.get(value) != simdjson::SUCCESS) return Wrong("a number");
  return value;
}

Result<std::vector<JsonValue>> JsonValue::Elements() const {
  dom::array array;
  if (element_.get(array) != simdjson::SUCCESS) {
    return Wrong(is_named_ ? "a JSON array" : "an array");
  }
  std::vector<JsonValue> elements;
  for (const dom::element value : array) {
    elements.push_back(
        JsonValue(document_, value, place_ + '[' + std::to_string(elements.size()) + ']'));
  }
  return elements;
}

std::vector<std::pair<std::string_view, JsonValue>> JsonValue::Fields() const {
  std::vector<std::pair<std::string_view, JsonValue>> fields;
  dom::object object;
  if (element_.get(object) != simdjson::SUCCESS) return fields;
  for (const auto& [name, value] : object) {
    fields.emplace_back(name, JsonValue(document_, value, PlaceOf(name)));
  }
  return fields;
}

std::optional<JsonValue> JsonValue::FindAny(std::string_view name) const {
  std::optional<JsonValue> found;
  dom::object object;
  if (element_.get(object) != simdjson::SUCCESS) return found;
  std::optional<dom::element> last;
  for (const auto& [key, value] : object) {
    if (key == name) last = value;
  }
  if (last) found = JsonValue(document_, *last, PlaceOf(name));
  return found;
}

std::optional<JsonValue> JsonValue::Find(std::string_view name) const {
  std::optional<JsonValue> found = FindAny(name);
  return found && found->is_null() ? std::nullopt : found;
}

Result<JsonValue> JsonValue::Field(std::string_view name) const {
  RETURN_IF_ERROR(ExpectObject());
  std::optional<JsonValue> found = FindAny(name);
  if (!found) return Error{document_->code, PlaceOf(name) + " is missing", ""};
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
  return {document_->code, std::move(message), ""};
}

Error JsonValue::Wrong(std::string_view what) const {
  return Fail("must be " + std::string(what) + ", but it is " + Shown());
}

Error JsonValue::Wrong(std::string_view name, std::string_view what) const {
  if (const auto field = FindAny(name)) return field->Wrong(what);
  return {document_->code, PlaceOf(name) + " is missing; it must be " + std::string(what), ""};
}

std::string JsonValue::Shown() const {
  if (is_array()) return "an array";
  if (is_object()) return "an object";
  std::string_view text;
  if (element_.get(text) == simdjson::SUCCESS) return Quoted(text);
  return simdjson::minify(element_);
}

JsonValue JsonValue::Named(std::string place) const {
  return {document_, element_, std::move(place), true};
}

std::string_view JsonValue::document() const { return document_->text; }

std::string JsonValue::PlaceOf(std::string_view name) const {
  std::string shown = Printable(name, kShownBytes);
  if (place_.empty()) return shown;
  return place_ + (is_named_ ? ": " : ".") + shown;
}

}  // namespace embedding
