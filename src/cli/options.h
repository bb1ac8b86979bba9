// How every command reads its options: command line, then environment, then configuration file.
#pragma once

#include <CLI/CLI.hpp>

#include <map>
#include <optional>
#include <string>
#include <vector>

#include "base/result.h"

namespace embedding::cli {

inline constexpr char kConfig[] = "--config";

// Completes `app`, all of whose options have been added and take one value at a time, each with a
// check (option_values.h), by --config, --print-config and an environment variable for each option
// (EMBEDDING_SERVICE_PORT for --port), and parses. Errors: kInvalidArgument.
struct OptionsRead {
  std::string print;                                       // instead of running, if not empty
  std::map<std::string, std::vector<std::string>> values;  // that were given, by "--name"
};
Result<OptionsRead> ReadOptions(CLI::App& app, int argc, char** argv);

// The same, and prints it. Gives the exit code if there is nothing more to do: something was asked
// for and printed, or the usage was wrong, which one line on standard error says. `read` is what
// was read, for those who want it.
std::optional<int> ParseOptions(CLI::App& app, int argc, char** argv, OptionsRead* read = nullptr);

// Whether an option may be given more than once.
bool IsList(const CLI::Option& option);

// Whether an option stands for a value, and so has a variable and a key in the file of --config:
// all but --help and --print-config.
bool HasValue(const CLI::App& app, const CLI::Option& option);

}  // namespace embedding::cli
