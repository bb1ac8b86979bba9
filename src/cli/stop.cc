#include <fmt/format.h>

#include <csignal>
#include <optional>

#include "app/logging.h"
#include "cli/commands.h"
#include "cli/ending.h"
#include "cli/instance_options.h"
#include "cli/options.h"

namespace embedding::cli {
namespace {

Status StopServer(const KnownInstance& known) {
  const app::Instance& instance = known.instance;
  ASSIGN_OR_RETURN(const FileDescriptor work, BeginWork(instance));
  ASSIGN_OR_RETURN(std::optional<app::InstanceRecord> record, instance.Read());
  if (!record) record = known.record;
  RETURN_IF_ERROR(EndLeftover(instance, false));
  const std::optional<RunningServer> server = RunningServerOf(instance, *record);
  if (!server) {
    app::Print(fmt::format("The server {} does not run", instance.name()));
    return {};
  }
  (void)server->process.Signal(SIGTERM);
  const app::Ending ending = AwaitEnd(instance, *record, *server, PatienceWith(*record));
  if (ending == app::Ending::kStays) {
    return Error{ErrorCode::kInternal,
                 fmt::format("process {} does not end, even killed", record->pid), ""};
  }
  app::Print(fmt::format("The server {} is {}: process {}", instance.name(),
                         ending == app::Ending::kKilled ? "killed" : "stopped", record->pid));
  // Who starts it at this moment has the lock, and its own record there.
  ASSIGN_OR_RETURN(const std::optional<FileDescriptor> own, app::LockFile(instance.RecordPath()));
  if (!own) return {};
  record->pid = 0;
  record->url.clear();
  return app::WriteRecord(own->get(), *record);
}

}  // namespace

void DescribeStop(CLI::App& app) {
  static InstanceOptions options;
  AddInstanceOptions(app, options);
}

int Stop(int argc, char** argv) {
  InstanceOptions options;
  CLI::App app(
      "Stops a server in the background: it answers the requests in hand, for as long as its "
      "--shutdown-timeout says, and is killed if it has not ended 5 s later.",
      "embedding-service stop");
  AddInstanceOptions(app, options);
  if (const Status logging = app::StartLogging({}); !logging.ok()) return Report(logging.error());
  if (const std::optional<int> code = ParseOptions(app, argc, argv)) return *code;
  const Result<KnownInstance> known = KnownInstanceOf(options.name, options.port);
  if (!known.ok()) return Report(known.error());
  const Status stopped = StopServer(*known);
  return stopped.ok() ? kExitOk : Report(stopped.error());
}

}  // namespace embedding::cli
