#include "weights/json_file.h"

#include <fmt/format.h>

#include <cmath>
#include <utility>

#include "base/mapped_file.h"
#include "weights/little_endian.h"
#include "weights/model_error.h"

namespace embedding {
namespace {

using Json = nlohmann::json;

constexpr size_t kMaxDepth = 64;
constexpr size_t kMaxFileBytes = size_t{64} << 20;

// Builds the value from the parser's events, so that a file is left at the first thing refused:
// the library's own builder neither bounds the depth nor sees a name that is there twice.
class JsonBuilder : public nlohmann::json_sax<Json> {
 public:
  bool null() override { return Add(nullptr) != nullptr; }
  bool boolean(bool value) override { return Add(value) != nullptr; }
  bool number_integer(number_integer_t value) override { return Add(value) != nullptr; }
  bool number_unsigned(number_unsigned_t value) override { return Add(value) != nullptr; }
  bool number_float(number_float_t value, const string_t& /*text*/) override {
    return Add(value) != nullptr;
  }
  bool string(string_t& value) override { return Add(std::move(value)) != nullptr; }
  bool binary(binary_t& /*value*/) override { return false; }  // JSON text has none
  bool start_object(size_t /*size*/) override { return Open(Json::object()); }
  bool start_array(size_t /*size*/) override { return Open(Json::array()); }
  bool end_object() override { return Close(); }
  bool end_array() override { return Close(); }

  bool key(string_t& name) override {
    const auto [position, inserted] = open_.back()->emplace(name, nullptr);
    if (!inserted) {
      problem_ = fmt::format("the name {} is there twice in one object", Quoted(name));
      return false;
    }
    field_ = &*position;
    return true;
  }

  bool parse_error(size_t /*position*/, const std::string& /*token*/,
                   const nlohmann::detail::exception& error) override {
    // "[json.exception.parse_error.101] parse error at line 1, column 2: ..."
    std::string_view what = error.what();
    if (const size_t end = what.find("] "); end != std::string_view::npos)
      what.remove_prefix(end + 2);
    problem_ = fmt::format("not valid JSON: {}", Printable(what, 250));
    return false;
  }

  Json& root() { return root_; }
  const std::string& problem() const { return problem_; }

 private:
  // Puts a value where the parser stands. The pointer lives until the next value of its container.
  Json* Add(Json value) {
    if (open_.empty()) {
      root_ = std::move(value);
      return &root_;
    }
    if (open_.back()->is_array()) {
      open_.back()->push_back(std::move(value));
      return &open_.back()->back();
    }
    *field_ = std::move(value);
    return field_;
  }

  bool Open(Json container) {
    if (open_.size() == kMaxDepth) {
      problem_ = fmt::format("nested more than {} levels deep", kMaxDepth);
      return false;
    }
    open_.push_back(Add(std::move(container)));
    return true;
  }

  bool Close() {
    open_.pop_back();
    return true;
  }

  Json root_;
  std::vector<Json*> open_;  // the containers the parser is in, outermost first
  Json* field_ = nullptr;    // the value that the last name stands for
  std::string problem_;
};

}  // namespace

Result<Json> ParseJson(std::string_view text) {
  // The parser takes a zero byte for the end and would not look at what is behind it.
  if (text.find('\0') != std::string_view::npos) return ModelError("not valid JSON: a zero byte");
  JsonBuilder builder;
  if (!Json::sax_parse(text, &builder)) return ModelError("{}", builder.problem());
  return std::move(builder.root());
}

Result<Json> ReadJsonFile(const std::string& path) {
  ASSIGN_OR_RETURN(const MappedFile file, MappedFile::Open(path));
  if (file.bytes().empty()) return ModelError("{}: the file is empty", path);
  if (file.bytes().size() > kMaxFileBytes) {
    return ModelError("{}: {} bytes are too many for a configuration file", path,
                      file.bytes().size());
  }
  Result<Json> json = ParseJson(AsText(file.bytes()));
  if (!json.ok()) return std::move(json).error().At(path);
  return json;
}

std::string DescribeJson(const Json& value) {
  if (value.is_string()) return Quoted(value.get_ref<const std::string&>());
  if (value.is_array()) return "an array";
  if (value.is_object()) return "an object";
  return value.dump();
}

Result<JsonObject> JsonObject::Read(const std::string& path) {
  ASSIGN_OR_RETURN(Json json, ReadJsonFile(path));
  return FromJson(path, std::move(json));
}

Result<JsonObject> JsonObject::FromJson(std::string where, Json value) {
  if (!value.is_object()) {
    return ModelError("{}: must be a JSON object, but it is {}", where, DescribeJson(value));
  }
  return JsonObject(std::move(where), std::move(value));
}

const Json* JsonObject::Find(std::string_view name) const {
  const auto field = json_.find(name);
  return field == json_.end() ? nullptr : &*field;
}

Error JsonObject::Wrong(std::string_view name, std::string_view what) const {
  const Json* field = Find(name);
  if (field == nullptr) return ModelError("{}: {} is missing; it must be {}", where_, name, what);
  return ModelError("{}: {} must be {}, but it is {}", where_, name, what, DescribeJson(*field));
}

Result<int64_t> JsonObject::Integer(std::string_view name, int64_t min, int64_t max,
                                    std::optional<int64_t> fallback) const {
  const Json* field = Find(name);
  if (!Has(name) && fallback) return *fallback;
  // An integer beyond int64_t is either a float or an unsigned that get<int64_t> would wrap.
  const bool fits = field != nullptr && field->is_number_integer() &&
                    !(field->is_number_unsigned() && field->get<uint64_t>() > INT64_MAX);
  const int64_t value = fits ? field->get<int64_t>() : 0;
  if (!fits || value < min || value > max) {
    return Wrong(name, fmt::format("an integer from {} to {}", min, max));
  }
  return value;
}

Result<double> JsonObject::Number(std::string_view name, std::optional<double> fallback) const {
  const Json* field = Find(name);
  if (!Has(name) && fallback) return *fallback;
  if (field == nullptr || !field->is_number()) return Wrong(name, "a number");
  return field->get<double>();
}

Result<bool> JsonObject::Bool(std::string_view name, std::optional<bool> fallback) const {
  const Json* field = Find(name);
  if (!Has(name) && fallback) return *fallback;
  if (field == nullptr || !field->is_boolean()) return Wrong(name, "true or false");
  return field->get<bool>();
}

Result<std::string> JsonObject::String(std::string_view name,
                                       std::optional<std::string> fallback) const {
  const Json* field = Find(name);
  if (!Has(name) && fallback) return *std::move(fallback);
  if (field == nullptr || !field->is_string()) return Wrong(name, "a string");
  return field->get<std::string>();
}

Result<std::vector<std::string>> JsonObject::Strings(
    std::string_view name, std::optional<std::vector<std::string>> fallback) const {
  const Json* field = Find(name);
  if (!Has(name) && fallback) return *std::move(fallback);
  if (field != nullptr && field->is_string()) return std::vector{field->get<std::string>()};
  if (field == nullptr || !field->is_array()) return Wrong(name, "an array of strings");
  std::vector<std::string> strings;
  for (const Json& item : *field) {
    if (!item.is_string()) return Wrong(name, "an array of strings");
    strings.push_back(item.get<std::string>());
  }
  return strings;
}

}  // namespace embedding
