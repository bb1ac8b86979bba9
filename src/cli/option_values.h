// What an option's value may be. Every option has exactly one of these checks.
//
// They are strict where CLI11's conversions are not, to which "" is 0, "010" is 8 and 2^64 is
// 2^64 - 1. What they say of a wrong value reads on from the place where it was given: "--port: "
// "expected a whole number from 0 to 65535, got \"80x\"". They put a value into the form that CLI11
// takes, and so are given to Option::transform().
#pragma once

#include <CLI/CLI.hpp>

#include <cstdint>
#include <string>
#include <vector>

#include "base/result.h"

namespace embedding::cli {

// Decimal digits alone, in [least, most]; `most` at most 10^18, so that every TOML integer beyond
// it is known to be.
CLI::Validator WholeNumber(uint64_t least, uint64_t most);

CLI::Validator OneOf(const std::vector<std::string>& names);

// One of many names, of which an error shows the one that is near to what was given.
CLI::Validator Name(const std::string& what, const std::vector<std::string>& names);

// true or false, 1 or 0, yes or no, on or off, in any case; becomes "true" or "false". On the
// command line the option alone is true.
CLI::Validator Switch();

// One line of UTF-8, not blank: what answers, logs and paths can hold. `what` is named if it is
// not.
CLI::Validator Text(const std::string& what);

// The same, or nothing at all.
CLI::Validator OptionalText(const std::string& what);

// Text without white space.
CLI::Validator Word(const std::string& what);

// A branch, tag or commit as hub/model_locator.h takes it.
CLI::Validator Revision();

// What a header can carry: printable ASCII, spaces inside included. White space around it and a
// byte order mark before it are cut off: a mounted secret ends in a line's end, and some editors
// begin a file with the mark. Its errors never show the value.
CLI::Validator ApiKey();

// A size or a Redis' URL, as app/cache.h has it. Its errors never show a password.
CLI::Validator Cache();

// Whether a number may be given without quotes, and whether Switch checks the option, or ApiKey.
bool TakesNumber(CLI::Option& option);
bool IsSwitch(CLI::Option& option);
bool IsSecret(CLI::Option& option);

// The values that an option of OneOf or Switch takes; empty for others.
std::vector<std::string> Choices(CLI::Option& option);

// Checks `value` for `option`, and puts it into its form; `source` is where it was given, as errors
// name it. Errors: kInvalidArgument.
Status CheckValue(CLI::Option& option, const std::string& source, std::string& value);

}  // namespace embedding::cli
