#include "app/serve.h"

#include <spdlog/sinks/stdout_color_sinks.h>
#include <spdlog/spdlog.h>

#include <cstdio>
#include <optional>
#include <string>

#include "app/configuration.h"
#include "cli/commands.h"
#include "cli/options.h"
#include "cli/serve_options.h"

namespace embedding::cli {
namespace {

int ExitCodeOf(ErrorCode code) {
  switch (code) {
    case ErrorCode::kInvalidArgument:
      return kExitUsage;
    case ErrorCode::kModelLoad:
    case ErrorCode::kDownload:
      return kExitModel;
    case ErrorCode::kAddressInUse:
      return kExitAddressInUse;
    case ErrorCode::kDeviceUnavailable:
      return kExitDevice;
    default:
      return kExitFailed;
  }
}

int Report(const Error& error) {
  std::fprintf(stderr, "embedding-service: %s\n", error.message.c_str());
  return ExitCodeOf(error.code);
}

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
  spdlog::set_default_logger(spdlog::stderr_color_mt("embedding-service"));
  OptionsRead read;
  if (const std::optional<int> code = ParseOptions(app, argc, argv, &read)) return *code;
  if (const Status sound = app::Complete(configuration); !sound.ok()) return Report(sound.error());
  const Status served = app::Serve(configuration, [&] { return ReadAgain(argc, argv, read); });
  return served.ok() ? kExitOk : Report(served.error());
}

}  // namespace embedding::cli
