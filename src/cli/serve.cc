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

int Serve(int argc, char** argv) {
  app::Configuration configuration;
  CLI::App app("Answers requests for embeddings over HTTP.", "embedding-service serve");
  AddServeOptions(app, configuration);
  if (const Status logging = app::StartLogging({}); !logging.ok()) return Report(logging.error());
  if (const std::optional<int> code = ParseOptions(app, argc, argv)) return *code;
  if (const Status sound = app::Complete(configuration); !sound.ok()) return Report(sound.error());
  if (const Status logging = app::StartLogging(configuration.logging); !logging.ok())
    return Report(logging.error());
  configuration.server.inherited = http::InheritedSockets();
  const Status served = app::Serve(configuration);
  return served.ok() ? kExitOk : Report(served.error());
}

}  // namespace embedding::cli
