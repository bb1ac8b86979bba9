#include <optional>

#include "app/logging.h"
#include "cli/commands.h"
#include "cli/ending.h"
#include "cli/instance_options.h"
#include "cli/launch.h"
#include "cli/options.h"

namespace embedding::cli {
namespace {

int RefuseSecond(const app::Instance& instance) {
  const Result<std::optional<app::InstanceRecord>> record = instance.Read();
  const std::string what = record.ok() && *record && (*record)->pid != 0
                               ? "runs already: " + WhatRuns(**record)
                               : "is being started by another command";
  return Report({ErrorCode::kAddressInUse,
                 "the server " + instance.name() + ' ' + what +
                     "; embedding-service restart replaces it, embedding-service stop ends it",
                 ""});
}

// A successor may have outlived a restart that was killed and the server before, and have its port.
Status ClearLeftover(const app::Instance& instance) {
  ASSIGN_OR_RETURN(const FileDescriptor work, BeginWork(instance));
  return EndLeftover(instance, false);
}

}  // namespace

void DescribeStart(CLI::App& app) {
  static LaunchOptions options;
  AddLaunchOptions(app, options);
}

int Start(int argc, char** argv) {
  LaunchOptions options;
  CLI::App app(
      "Starts the server in the background, and returns when it answers. Takes the options of "
      "serve.",
      "embedding-service start");
  AddLaunchOptions(app, options);
  if (const Status logging = app::StartLogging({}); !logging.ok()) return Report(logging.error());
  if (const std::optional<int> code = ParseOptions(app, argc, argv)) return *code;
  const Result<app::Instance> instance =
      InstanceOf(options.name, options.configuration.server.port);
  if (!instance.ok()) return Report(instance.error());
  if (const Status sound = app::Complete(options.configuration); !sound.ok())
    return Report(sound.error());
  Result<std::optional<FileDescriptor>> lock = app::LockFile(instance->RecordPath());
  if (!lock.ok()) return Report(lock.error());
  if (!*lock) return RefuseSecond(*instance);
  if (const Status cleared = ClearLeftover(*instance); !cleared.ok())
    return Report(cleared.error());
  app::InstanceRecord record = NewRecord(options, *instance, GivenOptions(app, argc, argv));
  return Launch(*instance, instance->RecordPath(), *std::move(*lock), {}, std::move(record));
}

}  // namespace embedding::cli
