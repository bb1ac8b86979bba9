// How every command reads its options: command line, then environment, then configuration file.
#pragma once

#include <CLI/CLI.hpp>

#include <optional>

namespace embedding::cli {

// Completes `app`, all of whose options have been added and take one value at a time, each with a
// check (option_values.h), by --config and by an environment variable for each option
// (EMBEDDING_SERVICE_PORT for --port), and parses. Gives the exit code if there is nothing more to
// do: help was printed, or the usage was wrong, which one line on standard error says.
//
// Arguments that belong to no option go to the positional option, if there is one; "--" makes all
// that follow such. Keys of the file and variables that belong to another command are passed over.
std::optional<int> ParseOptions(CLI::App& app, int argc, char** argv);

// The first part of ParseOptions: --config, and the names of the variables. For those who describe
// the options (documents.h). Gives --config.
CLI::Option* CompleteOptions(CLI::App& app);

// Whether an option is told of, and may stand in the environment and the file: not one in no group,
// which is between commands, nor a positional one.
bool IsPublic(const CLI::Option& option);

}  // namespace embedding::cli
