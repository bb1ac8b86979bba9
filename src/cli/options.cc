#include "cli/options.h"

#include <algorithm>
#include <cctype>
#include <cstdlib>
#include <string>
#include <string_view>
#include <vector>

#include "cli/commands.h"

namespace embedding::cli {
namespace {

// "--max-queue" -> "EMBEDDING_SERVICE_MAX_QUEUE"
std::string EnvironmentName(const std::string& option) {
  std::string name = "EMBEDDING_SERVICE_" + option.substr(option.find_first_not_of('-'));
  std::transform(name.begin(), name.end(), name.begin(), [](unsigned char c) {
    return c == '-' ? '_' : static_cast<char>(std::toupper(c));
  });
  return name;
}

}  // namespace

std::optional<int> ParseOptions(CLI::App& app, int argc, char** argv) {
  app.set_config("--config", "", "A TOML file with options by name: port = 8001");
  app.allow_config_extras(CLI::config_extras_mode::error);
  app.footer(
      "Each option can also be given as the environment variable in brackets, or in the file of "
      "--config.\nThe command line wins over the environment, the environment over the file.");

  // CLI11 lets the file win over the environment. So the environment goes to the front of the
  // command line, where what is given later wins; an option that may be given more than once would
  // take both.
  std::vector<std::string> arguments;
  for (CLI::Option* option : app.get_options()) {
    const std::string name = option->get_name();
    if (name == "--help") continue;
    option->envname(EnvironmentName(name))->take_last();
    const bool given = std::any_of(argv + 1, argv + argc, [&name](std::string_view argument) {
      return argument.substr(0, argument.find('=')) == name;
    });
    // As for most programs, an empty variable is as good as none.
    const char* value = std::getenv(EnvironmentName(name).c_str());
    if (!given && value != nullptr && *value != '\0') arguments.push_back(name + '=' + value);
  }
  arguments.insert(arguments.end(), argv + 1, argv + argc);
  std::reverse(arguments.begin(), arguments.end());  // as CLI11 takes them
  try {
    app.parse(std::move(arguments));
  } catch (const CLI::ParseError& error) {
    return app.exit(error) == 0 ? kExitOk : kExitUsage;
  }
  return std::nullopt;
}

}  // namespace embedding::cli
