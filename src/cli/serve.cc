#include "app/serve.h"

#include <optional>

#include "app/configuration.h"
#include "app/logging.h"
#include "cli/commands.h"
#include "cli/options.h"
#include "cli/serve_options.h"
#include "http/succession.h"

namespace embedding::cli {

void DescribeServe(CLI::App& app) {
  static app::Configuration configuration;
  AddServeOptions(app, configuration);
}

namespace {

// What the command line, the environment and the file say by now, and what they said before.
Result<app::Reread> ReadAgain(int argc, char** argv, const OptionsRead& before) {
  app::Reread again;
  CLI::App app;
  AddServeOptions(app, again.configuration);
  ASSIGN_OR_RETURN(OptionsRead read, ReadOptions(app, argc, argv));
  RETURN_IF_ERROR(app::Complete(again.configuration));
  for (const auto& [name, values] : read.values) {
    const auto found = before.values.find(name);
    if (found == before.values.end() || found->second != values) again.changed.push_back(name);
  }
  for (const auto& [name, values] : before.values) {
    if (!read.values.contains(name)) again.changed.push_back(name);
  }
  return again;
}

}  // namespace

int Serve(int argc, char** argv) {
  app::Configuration configuration;
  CLI::App app("Answers requests for embeddings over HTTP.", "embedding-service serve");
  AddServeOptions(app, configuration);
  if (const Status logging = app::StartLogging({}); !logging.ok()) return Report(logging.error());
  OptionsRead read;
  if (const std::optional<int> code = ParseOptions(app, argc, argv, &read)) return *code;
  if (const Status sound = app::Complete(configuration); !sound.ok()) return Report(sound.error());
  if (const Status logging = app::StartLogging(configuration.logging); !logging.ok())
    return Report(logging.error());
  configuration.server.inherited = http::InheritedSockets();
  const Status served = app::Serve(configuration, [&] { return ReadAgain(argc, argv, read); });
  return served.ok() ? kExitOk : Report(served.error());
}

}  // namespace embedding::cli
