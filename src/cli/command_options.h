// A command's options as data, out of their descriptions, for what is written about them.
#pragma once

#include <string>
#include <vector>

#include "cli/commands.h"

namespace embedding::cli {

struct CommandOption {
  std::vector<std::string> names;  // "--lines", "-n"; of words that stand alone their name
  std::string value;               // what stands behind it: "TEXT", "0 to 65535"
  std::string description;
  std::vector<std::string> choices;
  std::string standard;  // its value if it is not given
  std::string variable;
  bool is_word = false;
  bool is_switch = false;
  bool is_list = false;
};

// In the order of --help, which is the first.
std::vector<CommandOption> OptionsOf(const Command& command);

// The beginning of a description, for a line of its own.
std::string Short(const std::string& description);

}  // namespace embedding::cli
