#include "cli/options.h"

#include <cstdint>
#include <cstdio>

#include "cli/commands.h"
#include "cli/environment.h"
#include "cli/option_reader.h"
#include "cli/option_values.h"
#include "cli/standard_streams.h"
#include "cli/usage_error.h"

namespace embedding::cli {

bool IsList(const CLI::Option& option) { return option.get_expected_max() > 1; }

bool IsPublic(const CLI::Option& option) {
  return !option.get_group().empty() && !option.get_positional();
}

bool HasValue(const CLI::App& app, const CLI::Option& option) {
  return IsPublic(option) && &option != app.get_help_ptr() && option.get_name() != kPrintConfig;
}

void CompleteOptions(CLI::App& app) {
  app.add_option(kConfig, "A TOML file with options by name: port = 8001")
      ->check(Text("a file's name"));
  app.add_flag_function(
      kPrintConfig, [](int64_t) {},
      "Prints every value and where it comes from, keys hidden, and ends");
  app.footer(
      "Each option can also be given as the environment variable in brackets, or in the file of "
      "--config.\nThe command line wins over the environment, the environment over the file.");
  for (CLI::Option* option : app.get_options()) {
    if (!HasValue(app, *option)) continue;
    option->envname(EnvironmentName(option->get_name()));
    option->allow_extra_args(false);  // else "[a,b]" is two values
  }
}

Result<OptionsRead> ReadOptions(CLI::App& app, int argc, char** argv) {
  CompleteOptions(app);
  OptionReader reader(app);
  ASSIGN_OR_RETURN(const NextStep next, reader.ReadCommandLine(argc, argv));
  if (next == NextStep::kHelp) return OptionsRead{app.help(), {}};
  RETURN_IF_ERROR(reader.ReadEnvironment());
  RETURN_IF_ERROR(reader.ReadFile());
  try {
    reader.Store();
  } catch (const CLI::ParseError& error) {
    return UsageError("{}", error.what());
  }
  return OptionsRead{next == NextStep::kConfigText ? reader.Text() : std::string(),
                     reader.Values()};
}

std::optional<int> ParseOptions(CLI::App& app, int argc, char** argv, OptionsRead* read) {
  Result<OptionsRead> options = ReadOptions(app, argc, argv);
  if (!options.ok()) {
    std::fprintf(stderr, "embedding-service: %s\n", options.error().message.c_str());
    return kExitUsage;
  }
  if (options->print.empty()) {
    if (read != nullptr) *read = *std::move(options);
    return std::nullopt;
  }
  std::fputs(options->print.c_str(), stdout);
  if (const Status printed = FlushStandardOutput(); !printed.ok()) {
    std::fprintf(stderr, "embedding-service: %s\n", printed.error().message.c_str());
    return kExitFailed;
  }
  return kExitOk;
}

}  // namespace embedding::cli
