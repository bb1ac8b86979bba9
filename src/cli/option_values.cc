#include "cli/option_values.h"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>
#include <cctype>
#include <charconv>
#include <string_view>
#include <system_error>
#include <utility>

#include "app/cache.h"
#include "base/utf8.h"
#include "cli/near_name.h"
#include "cli/usage_error.h"
#include "hub/model_locator.h"
#include "weights/model_error.h"

namespace embedding::cli {
namespace {

constexpr char kNumber[] = "number";
constexpr char kSize[] = "size";
constexpr char kSwitch[] = "switch";
constexpr char kSecret[] = "secret";
constexpr char kChoice[] = "choice";
constexpr std::string_view kWhiteSpace = " \t\r\n\v\f";
constexpr std::string_view kByteOrderMark = "\xEF\xBB\xBF";

std::string Expected(std::string_view what, std::string_view value) {
  return fmt::format("expected {}, got {}", what, Quoted(value));
}

bool IsControl(char c) { return static_cast<unsigned char>(c) < 0x20 || c == 0x7F; }

bool IsText(std::string_view value) {
  return value.find_first_not_of(kWhiteSpace) != std::string_view::npos &&
         std::none_of(value.begin(), value.end(), IsControl) &&
         FindInvalidUtf8(value) == std::string_view::npos;
}

std::string_view Trimmed(std::string_view text) {
  const size_t begin = text.find_first_not_of(kWhiteSpace);
  if (begin == std::string_view::npos) return {};
  return text.substr(begin, text.find_last_not_of(kWhiteSpace) - begin + 1);
}

}  // namespace

CLI::Validator WholeNumber(uint64_t least, uint64_t most) {
  const auto check = [least, most](std::string& value) -> std::string {
    uint64_t number = 0;
    const char* end = value.data() + value.size();
    const auto [stop, problem] = std::from_chars(value.data(), end, number);
    if (problem != std::errc() || stop != end || number < least || number > most) {
      return Expected(fmt::format("a whole number from {} to {}", least, most), value);
    }
    value = std::to_string(number);  // a leading zero would make it octal
    return {};
  };
  return {check, fmt::format("{} to {}", least, most), kNumber};
}

CLI::Validator OneOf(const std::vector<std::string>& names) {
  const auto check = [names](const std::string& value) {
    if (std::find(names.begin(), names.end(), value) != names.end()) return std::string();
    return Expected(fmt::format("one of {}", fmt::join(names, ", ")), value);
  };
  return {check, fmt::format("{}", fmt::join(names, ", ")), kChoice};
}

CLI::Validator Name(const std::string& what, const std::vector<std::string>& names) {
  const auto check = [what, names](const std::string& value) {
    if (std::find(names.begin(), names.end(), value) != names.end()) return std::string();
    const std::string near = NearestName(value, names);
    return Expected(what, value) + (near.empty() ? "" : "; did you mean " + near + "?");
  };
  return {check, ""};
}

CLI::Validator Switch() {
  const auto check = [](std::string& value) -> std::string {
    std::string word = value;
    std::transform(word.begin(), word.end(), word.begin(),
                   [](unsigned char c) { return static_cast<char>(std::tolower(c)); });
    for (const auto& [yes, no] :
         {std::pair("true", "false"), {"1", "0"}, {"yes", "no"}, {"on", "off"}}) {
      if (word != yes && word != no) continue;
      value = word == yes ? "true" : "false";
      return {};
    }
    return Expected("true or false, 1 or 0, yes or no, or on or off", value);
  };
  return {check, "", kSwitch};
}

CLI::Validator Text(const std::string& what) {
  const auto check = [what](const std::string& value) {
    return IsText(value) ? std::string() : Expected(what + ", in one line of UTF-8", value);
  };
  return {check, ""};
}

CLI::Validator OptionalText(const std::string& what) {
  const auto check = [what](const std::string& value) {
    if (value.empty() || IsText(value)) return std::string();
    return Expected(what + ", in one line of UTF-8", value);
  };
  return {check, ""};
}

CLI::Validator Word(const std::string& what) {
  const auto check = [what](const std::string& value) {
    if (IsText(value) && value.find(' ') == std::string::npos) return std::string();
    return Expected(what + ", without white space", value);
  };
  return {check, ""};
}

CLI::Validator Revision() {
  const auto check = [](const std::string& value) {
    return CheckRevision(value).ok() ? std::string()
                                     : Expected("a branch, a tag or a commit's hash", value);
  };
  return {check, ""};
}

CLI::Validator ApiKey() {
  const auto check = [](std::string& value) -> std::string {
    value = Trimmed(value);
    if (value.starts_with(kByteOrderMark)) value = Trimmed(value.substr(kByteOrderMark.size()));
    if (value.empty()) return "an empty key would let everybody in; expected printable ASCII";
    const auto in_header = [](char c) { return c >= ' ' && c <= '~'; };
    if (std::all_of(value.begin(), value.end(), in_header)) return {};
    return fmt::format(
        "expected printable ASCII, which a header can carry, got {} bytes with others among them",
        value.size());
  };
  return {check, "", kSecret};
}

CLI::Validator Cache() {
  const auto check = [](const std::string& value) {
    const Status checked = app::CheckCache(value);
    return checked.ok() ? std::string() : checked.error().message;
  };
  return {check, "", kSize};
}

bool TakesNumber(CLI::Option& option) {
  const std::string kind = option.get_validator()->get_name();
  return kind == kNumber || kind == kSize;
}
bool IsSwitch(CLI::Option& option) { return option.get_validator()->get_name() == kSwitch; }
bool IsSecret(CLI::Option& option) { return option.get_validator()->get_name() == kSecret; }

std::vector<std::string> Choices(CLI::Option& option) {
  const CLI::Validator& check = *option.get_validator();
  if (IsSwitch(option)) return {"true", "false"};
  if (check.get_name() != kChoice) return {};
  return CLI::detail::split(CLI::detail::find_and_replace(check.get_description(), ", ", ","), ',');
}

Status CheckValue(CLI::Option& option, const std::string& source, std::string& value) {
  const std::string problem = (*option.get_validator())(value);
  if (problem.empty()) return {};
  return UsageError("{}: {}", source, problem);
}

}  // namespace embedding::cli
