#include "cli/config_file.h"

#include <fmt/format.h>

#include <algorithm>
#include <cstdint>
#include <exception>
#include <sstream>
#include <string_view>
#include <toml.hpp>
#include <utility>

#include "base/read_file.h"
#include "cli/usage_error.h"
#include "weights/model_error.h"

namespace embedding::cli {
namespace {

// No configuration is that large, and /dev/zero has no end.
constexpr size_t kMaxBytes = size_t{1} << 20;

// toml11 3 and 4 (Debian 12 and Homebrew) name the same things differently.
template <typename Location>
size_t LineOf(const Location& location) {
  if constexpr (requires { location.first_line_number(); }) {
    return location.first_line_number();
  } else {
    return location.line();
  }
}

template <typename SyntaxError>
size_t LineOfError(const SyntaxError& error) {
  if constexpr (requires { error.errors(); }) {
    const auto& errors = error.errors();
    return errors.empty() || errors.front().locations().empty()
               ? 1
               : LineOf(errors.front().locations().front().first);
  } else {
    return LineOf(error.location());
  }
}

// The first line of what toml11 says, without its "[error] toml::function: "; those after it quote
// the file.
std::string Reason(std::string_view what) {
  what = what.substr(0, what.find('\n'));
  if (what.starts_with("[error] ")) what.remove_prefix(what.find(' ') + 1);
  const size_t colon = what.find(": ");
  if (colon != std::string_view::npos && what.substr(0, colon).find(' ') == std::string_view::npos)
    what.remove_prefix(colon + 2);
  return Printable(what, 120);
}

Result<toml::value> Parse(const std::string& path) {
  ASSIGN_OR_RETURN(std::string content, ReadFileOf("--config", path, kMaxBytes));
  std::istringstream stream(std::move(content));
  try {
    return toml::parse(stream, path);
  } catch (const toml::syntax_error& error) {
    return UsageError("{}:{}: not TOML: {}; a line is KEY = VALUE, and a string stands in quotes",
                      Printable(path, 200), LineOfError(error), Reason(error.what()));
  } catch (const std::exception& error) {
    return UsageError("{}: not TOML: {}", Printable(path, 200), Reason(error.what()));
  }
}

Result<ConfigValue> ToValue(const toml::value& value) {
  if (value.is_string()) {
    const std::string& text = toml::get<std::string>(value);
    if (text.find('\0') != std::string::npos) return UsageError("a string must not hold \\u0000");
    return ConfigValue{text};
  }
  if (value.is_integer()) {
    return ConfigValue{std::to_string(toml::get<int64_t>(value)), ConfigValue::Kind::kNumber};
  }
  if (value.is_boolean()) {
    return ConfigValue{toml::get<bool>(value) ? "true" : "false", ConfigValue::Kind::kBoolean};
  }
  return UsageError("expected a string, a whole number or a list of strings, got {}",
                    value.is_floating() ? "a number with a fraction"
                    : value.is_table()  ? "a section; keys stand outside of any"
                    : value.is_array()  ? "a list in a list"
                                        : "a date or a time");
}

Status AddValues(const toml::value& value, ConfigEntry& entry) {
  entry.is_list = value.is_array();
  if (!entry.is_list) {
    ASSIGN_OR_RETURN(ConfigValue only, ToValue(value));
    entry.values.push_back(std::move(only));
    return {};
  }
  for (const toml::value& item : value.as_array()) {
    ASSIGN_OR_RETURN(ConfigValue next, ToValue(item));
    entry.values.push_back(std::move(next));
  }
  return {};
}

}  // namespace

Result<std::vector<ConfigEntry>> ReadConfigFile(const std::string& path) {
  ASSIGN_OR_RETURN(const toml::value file, Parse(path));
  std::vector<std::pair<ConfigEntry, const toml::value*>> found;
  for (const auto& [key, value] : file.as_table()) {
    ConfigEntry entry;
    entry.line = LineOf(value.location());
    entry.key = key;
    found.emplace_back(std::move(entry), &value);
  }
  // So that of several errors the first is reported.
  std::sort(found.begin(), found.end(),
            [](const auto& a, const auto& b) { return a.first.line < b.first.line; });
  std::vector<ConfigEntry> entries;
  for (auto& [entry, value] : found) {
    if (Status added = AddValues(*value, entry); !added.ok()) {
      return std::move(added).error().At(
          fmt::format("{}:{}: {}", Printable(path, 200), entry.line, Printable(entry.key, 60)));
    }
    entries.push_back(std::move(entry));
  }
  return entries;
}

}  // namespace embedding::cli
