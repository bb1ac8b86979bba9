// What --print-config shows: every option's value, and where it comes from.
#pragma once

#include <CLI/CLI.hpp>

#include <map>
#include <string>
#include <vector>

namespace embedding::cli {

// What an option was given.
struct GivenValues {
  std::vector<std::string> values;
  std::string source;  // "--port", "EMBEDDING_SERVICE_PORT", "server.toml:3"
};

// The options of `app` but for those that stand for no value, as a file that --config takes: one
// line an option, with its source behind it. What no such file can have is a comment: what nobody
// has given, the file's own name, defaults that depend on other values, and the number of secrets.
// Addresses lose their passwords.
std::string ConfigText(CLI::App& app, const std::map<CLI::Option*, GivenValues>& given);

}  // namespace embedding::cli
