// JSON files of a model directory: strict parsing, and typed access to fields whose errors name the
// file, the field and what was found there.
#pragma once

#include <cstdint>
#include <nlohmann/json.hpp>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/result.h"

namespace embedding {

// Parses one JSON text. Refuses, besides what is not JSON, two equal names in an object and nesting
// beyond 64 levels, so that what walks the value afterwards may recurse.
// Errors: kModelLoad, saying what is wrong and where in the text.
Result<nlohmann::json> ParseJson(std::string_view text);

// The same for a file of at most 64 MiB; errors name it.
Result<nlohmann::json> ReadJsonFile(const std::string& path);

// What a field holds, for an error message: the number or string itself, or "an array".
std::string DescribeJson(const nlohmann::json& value);

// A JSON object whose fields are read one by one. Fields that nobody asks for are ignored, as the
// Python libraries ignore them. In the getters a `fallback` is what an absent field stands for, or
// one that is null; without one the field must be there.
class JsonObject {
 public:
  static Result<JsonObject> Read(const std::string& path);
  // `where` names the object in errors: "config.json", "modules.json: module 1".
  static Result<JsonObject> FromJson(std::string where, nlohmann::json value);

  // Whether the field is there and not null.
  bool Has(std::string_view name) const { return Find(name) != nullptr && !Find(name)->is_null(); }

  // An integer in [min, max]; "3.0" is not one.
  Result<int64_t> Integer(std::string_view name, int64_t min, int64_t max,
                          std::optional<int64_t> fallback = {}) const;
  // Any number, finite.
  Result<double> Number(std::string_view name, std::optional<double> fallback = {}) const;
  Result<bool> Bool(std::string_view name, std::optional<bool> fallback = {}) const;
  Result<std::string> String(std::string_view name, std::optional<std::string> fallback = {}) const;
  // An array of strings; a single string is taken as an array of one.
  Result<std::vector<std::string>> Strings(
      std::string_view name, std::optional<std::vector<std::string>> fallback = {}) const;

  const std::string& where() const { return where_; }
  const nlohmann::json& json() const { return json_; }
  // The value of a field, or nullptr if it is absent.
  const nlohmann::json* Find(std::string_view name) const;
  // "config.json: hidden_size must be <what>, but it is <value>", or "... is missing".
  Error Wrong(std::string_view name, std::string_view what) const;

 private:
  JsonObject(std::string where, nlohmann::json json)
      : where_(std::move(where)), json_(std::move(json)) {}

  std::string where_;
  nlohmann::json json_;
};

}  // namespace embedding
