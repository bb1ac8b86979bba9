#include "cli/option_reader.h"

#include <fmt/format.h>
#include <spdlog/spdlog.h>

#include <algorithm>
#include <cstdlib>
#include <utility>

#include "base/quoted.h"
#include "cli/commands.h"
#include "cli/config_file.h"
#include "cli/environment.h"
#include "cli/near_name.h"
#include "cli/option_values.h"
#include "cli/options.h"
#include "cli/usage_error.h"

namespace embedding::cli {
namespace {

// The names of options that stand for values: "--port" and so on.
std::vector<std::string> NamesOfOptions(CLI::App& app) {
  std::vector<std::string> names;
  for (const CLI::Option* option : app.get_options()) {
    if (HasValue(app, *option)) names.push_back(option->get_name());
  }
  return names;
}

// The option that takes the arguments which belong to no other, the texts of `embed` say; or
// nullptr.
CLI::Option* WordsOf(CLI::App& app) {
  for (CLI::Option* option : app.get_options()) {
    if (option->get_positional()) return option;
  }
  return nullptr;
}

// The option that an argument names, be it `-n`, `--name` or `--name=value`; or nullptr.
CLI::Option* OptionOf(CLI::App& app, std::string_view argument) {
  if (argument.size() == 2 && argument.front() == '-' && argument != "--")
    return app.get_option_no_throw(std::string(argument));
  if (!argument.starts_with("--")) return nullptr;
  return app.get_option_no_throw(std::string(argument.substr(0, argument.find('='))));
}

// "did you mean --port? ", or nothing: the beginning of a sentence.
std::string Hint(std::string_view given, const std::vector<std::string>& names) {
  const std::string nearest = NearestName(given, names);
  return nearest.empty() ? "" : "did you mean " + nearest + "? ";
}

// What is said of an argument that is no option shows no value: it may be a key.
Error NotAnOption(CLI::App& app, std::string_view argument, int position) {
  if (!argument.starts_with('-')) {
    return UsageError(
        "argument {} belongs to no option; a value with spaces stands in quotes, and an option is "
        "repeated for each of several values",
        position);
  }
  const std::string_view name = argument.substr(0, argument.find('='));
  return UsageError("{}: no such option; {}{} --help lists them", Printable(name, 60),
                    Hint(name, NamesOfOptions(app)), app.get_name());
}

// Of every command: they share the environment and the file.
std::vector<std::string> NamesOfAllOptions() {
  std::vector<std::string> names;
  for (const Command& command : Commands()) {
    CLI::App app;
    command.add_options(app);
    for (std::string& name : NamesOfOptions(app)) names.push_back(std::move(name));
  }
  names.emplace_back(kConfig);
  std::sort(names.begin(), names.end());
  names.erase(std::unique(names.begin(), names.end()), names.end());
  return names;
}

Status CheckShape(CLI::Option& option, const std::string& source, const ConfigEntry& entry) {
  if (entry.is_list && !IsList(option))
    return UsageError("{}: expected one value, got a list", source);
  if (entry.values.empty()) return UsageError("{}: expected at least one value, got none", source);
  for (const ConfigValue& value : entry.values) {
    // TOML has words for it.
    if (IsSwitch(option) && value.text != "true" && value.text != "false") {
      return UsageError("{}: expected true or false, got {}", source, Quoted(value.text));
    }
    if (value.kind == ConfigValue::Kind::kNumber && !TakesNumber(option)) {
      return UsageError("{}: expected a string, which stands in quotes, got a number", source);
    }
    if (value.kind == ConfigValue::Kind::kBoolean && !IsSwitch(option)) {
      return UsageError(
          "{}: expected a string, a whole number or a list of strings, got true or false", source);
    }
  }
  return {};
}

}  // namespace

Result<NextStep> OptionReader::ReadCommandLine(int argc, char** argv) {
  NextStep next = NextStep::kRun;
  CLI::Option* words = WordsOf(app_);
  bool only_words = false;  // "--" has come
  for (int i = 1; i < argc; ++i) {
    const std::string_view argument = argv[i];
    CLI::Option* option = only_words ? nullptr : OptionOf(app_, argument);
    if (words != nullptr && option == nullptr) {
      if (!only_words && argument == "--") {
        only_words = true;
        continue;
      }
      if (only_words || !argument.starts_with("-") || argument == "-") {
        if (Has(words) && !IsList(*words))
          return UsageError("argument {}: one {} is enough", i, words->get_name());
        RETURN_IF_ERROR(Add(words, words->get_name(), argument));
        continue;
      }
    }
    if (option == nullptr) return NotAnOption(app_, argument, i);
    if (option == app_.get_help_ptr()) return NextStep::kHelp;
    if (option->get_name() == kPrintConfig) {
      if (argument != kPrintConfig) return UsageError("{}: takes no value", kPrintConfig);
      next = NextStep::kConfigText;
      continue;
    }
    const std::string name = option->get_name();
    const size_t equals = argument.find('=');
    // Where words stand by themselves, the one behind a switch is one of these.
    const bool value_follows = i + 1 < argc && OptionOf(app_, argv[i + 1]) == nullptr &&
                               (words == nullptr || !IsSwitch(*option));
    std::string_view value = "true";
    if (equals != std::string_view::npos) {
      value = argument.substr(equals + 1);
    } else if (value_follows) {
      value = argv[++i];
    } else if (!IsSwitch(*option)) {
      return UsageError("{}: no value follows", name);
    }
    if (Has(option) && !IsList(*option))
      return UsageError("{}: given twice, but takes one value", name);
    RETURN_IF_ERROR(Add(option, name, value));
  }
  return next;
}

Status OptionReader::ReadEnvironment() {
  for (CLI::Option* option : app_.get_options()) {
    if (!HasValue(app_, *option)) continue;
    const std::string name = EnvironmentName(option->get_name());
    const char* value = std::getenv(name.c_str());
    // As for most programs, an empty variable is as good as none.
    if (Has(option) || value == nullptr || *value == '\0') continue;
    if (IsOfKubernetes(name, value)) {
      spdlog::warn(
          "the variable {} is ignored: Kubernetes set it, to {}, for a Service; {} "
          "or the file of --config says otherwise, and enableServiceLinks: false in the pod's "
          "specification keeps such variables away",
          name, Quoted(value), option->get_name());
      option->envname("");  // which CLI11 would read after all
      continue;
    }
    RETURN_IF_ERROR(Add(option, name, value));
  }
  std::vector<std::string> known = NamesOfAllOptions();
  std::transform(known.begin(), known.end(), known.begin(), EnvironmentName);
  WarnOfUnknownVariables(known);
  return {};
}

Status OptionReader::ReadFile() {
  CLI::Option* const config = app_.get_option(kConfig);
  if (!Has(config)) return {};
  const std::string path = values_[config].values.front();
  ASSIGN_OR_RETURN(const std::vector<ConfigEntry> entries, ReadConfigFile(path));
  std::map<CLI::Option*, GivenValues> of_file;
  const std::vector<std::string> known = NamesOfAllOptions();
  for (const ConfigEntry& entry : entries) {
    const std::string source =
        fmt::format("{}:{}: {}", Printable(path, 200), entry.line, Printable(entry.key, 60));
    CLI::Option* option = app_.get_option_no_throw("--" + entry.key);
    if (option == nullptr && std::find(known.begin(), known.end(), "--" + entry.key) != known.end())
      continue;  // another command's, of a file that all of them share
    if (option == nullptr || !HasValue(app_, *option) || option == config) {
      std::vector<std::string> keys;
      for (const std::string& name : NamesOfOptions(app_)) {
        if (name != config->get_name()) keys.push_back(name.substr(2));
      }
      return UsageError("{}: no key of this file; {}it has the options of {} --help but for config",
                        source, Hint(entry.key, keys), app_.get_name());
    }
    RETURN_IF_ERROR(CheckShape(*option, source, entry));
    for (ConfigValue value : entry.values) {
      RETURN_IF_ERROR(CheckValue(*option, source, value.text));
      of_file[option].values.push_back(std::move(value.text));
    }
    of_file[option].source = fmt::format("{}:{}", Printable(path, 200), entry.line);
  }
  values_.merge(of_file);  // which keeps what is there
  return {};
}

void OptionReader::Store() {
  for (const auto& [option, given] : values_) option->add_result(given.values);
  app_.parse(std::vector<std::string>());
}

std::map<std::string, std::vector<std::string>> OptionReader::Values() const {
  std::map<std::string, std::vector<std::string>> values;
  for (const auto& [option, given] : values_) values[option->get_name()] = given.values;
  return values;
}

Status OptionReader::Add(CLI::Option* option, const std::string& source, std::string_view given) {
  std::string value(given);
  RETURN_IF_ERROR(CheckValue(*option, source, value));
  values_[option].values.push_back(std::move(value));
  values_[option].source = source;
  return {};
}

}  // namespace embedding::cli
