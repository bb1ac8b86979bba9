// The file of --config: a flat table of TOML, read strictly.
#pragma once

#include <cstddef>
#include <string>
#include <vector>

#include "base/result.h"

namespace embedding::cli {

// One value, as the command line would have it.
struct ConfigValue {
  enum class Kind { kString, kNumber, kBoolean };
  std::string text;
  Kind kind = Kind::kString;
};

// One line: `port = 8001`, or `model = ["a", "b"]`.
struct ConfigEntry {
  size_t line = 0;  // counted from 1
  std::string key;
  std::vector<ConfigValue> values;
  bool is_list = false;
};

// The entries of the TOML file at `path`, which may be a pipe, in the order of their lines. Errors,
// which name the file and the line but show no value (it may be a key): kInvalidArgument: it cannot
// be read, is larger than 1 MiB or not TOML, or an entry is not a string, an integer, a boolean or
// a list of those.
Result<std::vector<ConfigEntry>> ReadConfigFile(const std::string& path);

}  // namespace embedding::cli
