#include <cstdio>
#include <optional>
#include <string>
#include <vector>

#include "app/logging.h"
#include "base/quoted.h"
#include "cli/commands.h"
#include "cli/documents.h"
#include "cli/near_name.h"
#include "cli/option_values.h"
#include "cli/options.h"
#include "cli/standard_streams.h"
#include "cli/usage_error.h"

namespace embedding::cli {
namespace {

struct HelpOptions {
  std::string command;
  bool man = false;
  std::string completion;
};

void AddHelpOptions(CLI::App& app, HelpOptions& options) {
  app.add_option("COMMAND", options.command, "The command whose options are told")
      ->transform(Word("a command"));
  app.add_option("--man", options.man, "Prints the manual page, for man -l")
      ->transform(Switch())
      ->default_str("false");
  app.add_option("--completion", options.completion,
                 "Prints what makes a shell complete commands and options")
      ->transform(OneOf(kShells));
}

}  // namespace

void DescribeHelp(CLI::App& app) {
  static HelpOptions options;
  AddHelpOptions(app, options);
}

int Help(int argc, char** argv) {
  HelpOptions options;
  CLI::App app("Tells the commands, or the options of one.", "embedding-service help");
  AddHelpOptions(app, options);
  if (const Status logging = app::StartLogging({}); !logging.ok()) return Report(logging.error());
  if (const std::optional<int> code = ParseOptions(app, argc, argv)) return *code;
  std::vector<std::string> names;
  for (const Command& command : Commands()) {
    names.emplace_back(command.name);
    if (options.command != command.name) continue;
    std::string help = "--help";
    char* words[] = {options.command.data(), help.data(), nullptr};
    return command.run(2, words);
  }
  if (!options.command.empty()) {
    const std::string nearest = NearestName(options.command, names);
    return Report(UsageError("no such command: {}{}", Quoted(options.command),
                             nearest.empty() ? "" : "; did you mean " + nearest + "?"));
  }
  std::fputs((options.man                  ? ManualPage()
              : options.completion.empty() ? Usage()
                                           : Completion(options.completion))
                 .c_str(),
             stdout);
  const Status printed = FlushStandardOutput();
  return printed.ok() ? kExitOk : Report(printed.error());
}

}  // namespace embedding::cli
