#include "cli/print_config.h"

#include <fmt/format.h>

#include <algorithm>
#include <regex>
#include <string_view>

#include "cli/option_values.h"
#include "cli/options.h"

namespace embedding::cli {
namespace {

// Where the sources stand, if the values leave room.
constexpr size_t kSourceColumn = 40;

// "redis://user:password@host" -> "redis://user:***@host"
std::string WithoutPassword(const std::string& value) {
  static const std::regex kPassword("(://[^:@]*):.*@");
  return std::regex_replace(value, kPassword, "$1:***@");
}

// As a basic string of TOML; option_values.h lets no control characters through.
std::string QuotedForToml(const std::string& value) {
  std::string quoted = "\"";
  for (const char c : WithoutPassword(value)) {
    if (c == '"' || c == '\\') quoted += '\\';
    quoted += c;
  }
  return quoted + '"';
}

bool IsNumber(std::string_view text) {
  return !text.empty() && text.find_first_not_of("0123456789") == std::string_view::npos;
}

std::string ValueText(CLI::Option& option, const std::string& value) {
  const bool is_number = TakesNumber(option) && IsNumber(value);
  return is_number || IsSwitch(option) ? value : QuotedForToml(value);
}

std::string ListText(CLI::Option& option, const std::vector<std::string>& values) {
  std::string text = "[";
  for (const std::string& value : values) {
    text += (text.size() > 1 ? ", " : "") + ValueText(option, value);
  }
  return text + ']';
}

// CLI11 has defaults as text only: "8001", "[a,b]" for lists, or words where it depends.
std::vector<std::string> DefaultsOf(const CLI::Option& option) {
  std::string text = option.get_default_str();
  if (!IsList(option)) return {text};
  if (text.size() < 2 || text == "[]") return {};
  return CLI::detail::split(text.substr(1, text.size() - 2), ',');
}

std::string LineOf(CLI::Option& option, const GivenValues* given) {
  const std::string key = option.get_name().substr(2);
  const std::string source = given == nullptr ? "default" : given->source;
  const std::vector<std::string> values = given == nullptr ? DefaultsOf(option) : given->values;
  std::string line;
  if (values.empty() || values.front().empty()) {
    line = fmt::format("# {}: not set", key);
  } else if (IsSecret(option)) {
    line = fmt::format("# {}: {} not shown", key, values.size());
  } else if (IsList(option)) {
    line = fmt::format("{} = {}", key, ListText(option, values));
  } else if (option.get_name() == kConfig ||
             (given == nullptr && TakesNumber(option) && !IsNumber(values.front()))) {
    line = fmt::format("# {}: {}", key, values.front());
  } else {
    line = fmt::format("{} = {}", key, ValueText(option, values.front()));
  }
  return fmt::format("{:<{}}  # {}\n", line, kSourceColumn, source);
}

}  // namespace

std::string ConfigText(CLI::App& app, const std::map<CLI::Option*, GivenValues>& given) {
  std::string text;
  for (CLI::Option* option : app.get_options()) {
    if (!HasValue(app, *option)) continue;
    const auto found = given.find(option);
    text += LineOf(*option, found == given.end() ? nullptr : &found->second);
  }
  return text;
}

}  // namespace embedding::cli
