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
inline constexpr char kPrintConfig[] = "--print-config";

struct OptionsRead {
  std::string print;                                       // instead of running, if not empty
  std::map<std::string, std::vector<std::string>> values;  // that were given, by "--name"
};

// Completes `app`, all of whose options have been added and take one value at a time, each with a
// check (option_values.h), by --config, --print-config and an environment variable for each option
// (EMBEDDING_SERVICE_PORT for --port), and parses. Errors: kInvalidArgument.
//
// Arguments that belong to no option go to the positional option, if there is one; "--" makes all
// that follow such. Keys of the file and variables that belong to another command are passed over.
Result<OptionsRead> ReadOptions(CLI::App& app, int argc, char** argv);

// The same, and prints it. Gives the exit code if there is nothing more to do: something was asked
// for and printed, or the usage was wrong, which one line on standard error says. `read` is what
// was read, for those who want it.
std::optional<int> ParseOptions(CLI::App& app, int argc, char** argv, OptionsRead* read = nullptr);

// The first part of ReadOptions: --config, --print-config, and the names of the variables. For
// those who describe the options (documents.h).
void CompleteOptions(CLI::App& app);

// Whether an option is told of: not one in no group, which is between commands, nor a positional
// one.
bool IsPublic(const CLI::Option& option);

// Whether an option may be given more than once.
bool IsList(const CLI::Option& option);

// Whether an option is told of and stands for a value, and so has a variable and a key in the file
// of --config: not --help and --print-config.
bool HasValue(const CLI::App& app, const CLI::Option& option);

}  // namespace embedding::cli
