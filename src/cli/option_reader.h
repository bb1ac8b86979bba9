// OptionReader: the values that the options of a command have been given: first by the command
// line, then by the environment, then by the file of --config, each for options without a value so
// far.
//
// CLI11 has the table of options, writes --help and converts values. Reading is done here: CLI11
// takes several values for one, lets the file win over the environment, reads a file that is not
// TOML as well as it can, and shows keys in its errors.
#pragma once

#include <CLI/CLI.hpp>

#include <map>
#include <string>
#include <string_view>
#include <vector>

#include "base/result.h"
#include "cli/print_config.h"

namespace embedding::cli {

// What there is to do once the options have been read.
enum class NextStep { kRun, kHelp, kConfigText };

// Errors of all: kInvalidArgument.
class OptionReader {
 public:
  explicit OptionReader(CLI::App& app) : app_(app) {}

  // Where help was asked for, that ends the reading.
  Result<NextStep> ReadCommandLine(int argc, char** argv);
  Status ReadEnvironment();
  // If --config names one.
  Status ReadFile();
  // Hands all of it to CLI11. Throws CLI::ParseError.
  void Store();

  // As --print-config shows it.
  std::string Text() const { return ConfigText(app_, values_); }
  // By "--name".
  std::map<std::string, std::vector<std::string>> Values() const;

 private:
  bool Has(CLI::Option* option) const { return values_.contains(option); }
  Status Add(CLI::Option* option, const std::string& source, std::string_view given);

  CLI::App& app_;
  std::map<CLI::Option*, GivenValues> values_;
};

}  // namespace embedding::cli
