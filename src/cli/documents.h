// What is written about the commands out of their options' descriptions: the list of commands, the
// manual page, completion for shells.
#pragma once

#include <string>
#include <vector>

namespace embedding::cli {

// What --help prints.
std::string Usage();

// embedding-service(1), for man.
std::string ManualPage();

inline const std::vector<std::string> kShells = {"bash", "zsh", "fish"};

// What makes the shell, one of kShells, complete commands, options and values.
std::string Completion(const std::string& shell);

}  // namespace embedding::cli
