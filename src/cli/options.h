// How every command reads its options: command line, then environment, then configuration file.
#pragma once

#include <CLI/CLI.hpp>

#include <optional>

namespace embedding::cli {

// Completes `app`, all of whose options have been added and take one value at a time, each with a
// check (option_values.h), by --config and by an environment variable for each option
// (EMBEDDING_SERVICE_PORT for --port), and parses. Gives the exit code if there is nothing more to
// do: help was printed, or the usage was wrong, which one line on standard error says.
std::optional<int> ParseOptions(CLI::App& app, int argc, char** argv);

}  // namespace embedding::cli
