#include "cli/command_options.h"

#include <algorithm>
#include <utility>

#include "cli/option_values.h"
#include "cli/options.h"

namespace embedding::cli {

std::vector<CommandOption> OptionsOf(const Command& command) {
  CLI::App app;
  command.add_options(app);
  CompleteOptions(app);
  std::vector<CommandOption> options;
  for (CLI::Option* option : app.get_options()) {
    if (option->get_group().empty()) continue;
    CommandOption it;
    for (const std::string& name : option->get_lnames()) it.names.push_back("--" + name);
    for (const std::string& name : option->get_snames()) it.names.push_back("-" + name);
    it.description = option->get_description();
    if (option->get_positional() || HasValue(app, *option)) {
      it.is_word = option->get_positional();
      if (it.is_word) it.names = {option->get_name()};
      it.is_switch = IsSwitch(*option);
      it.is_list = option->get_expected_max() > 1;
      it.choices = Choices(*option);
      const std::string& form = option->get_validator()->get_description();
      if (it.is_switch) {
        it.value = "true|false";
      } else if (!it.is_word) {
        it.value = TakesNumber(*option) ? form : "VALUE";
      }
      it.standard = option->get_default_str();
      it.variable = option->get_envname();
    }
    options.push_back(std::move(it));
  }
  return options;
}

std::string Short(const std::string& description) {
  constexpr size_t kMost = 80;
  size_t end = std::min(description.find_first_of(";:."), description.size());
  if (end > kMost) end = std::min(description.rfind(' ', kMost), kMost);
  return description.substr(0, end);
}

}  // namespace embedding::cli
