#include "cli/ending.h"

#include <fcntl.h>
#include <unistd.h>

#include <csignal>
#include <string>
#include <utility>

#include "http/succession.h"

namespace embedding::cli {
namespace {

// Has the server that offers its sockets there leave them to the other that serves on them.
bool Leaves(const std::string& path) {
  Result<http::Succession> succession = http::Succession::Begin(path);
  return succession.ok() && succession->Complete().ok();
}

}  // namespace

Result<FileDescriptor> BeginWork(const app::Instance& instance) {
  ASSIGN_OR_RETURN(std::optional<FileDescriptor> lock, app::LockFile(instance.WorkPath()));
  if (lock) return *std::move(lock);
  return Error{ErrorCode::kUnavailable,
               "another command is stopping or restarting the server " + instance.name() +
                   "; try again when it is done",
               ""};
}

std::optional<RunningServer> RunningServerOf(const app::Instance& instance,
                                             const app::InstanceRecord& record) {
  RunningServer server{app::ProcessHandle(record.pid),
                       FileDescriptor(::open(instance.RecordPath().c_str(), O_RDWR | O_CLOEXEC))};
  // The lock is looked at after the process has been taken hold of: whoever has it now was there
  // then, and so the id was no other's.
  if (record.pid == 0 || !server.record.valid() || !app::IsLocked(server.record.get())) return {};
  return server;
}

Status EndLeftover(const app::Instance& instance, bool beside_another) {
  FileDescriptor file(::open(instance.SuccessorPath().c_str(), O_RDWR | O_CLOEXEC));
  if (!file.valid() || !app::IsLocked(file.get())) return {};
  ASSIGN_OR_RETURN(const std::optional<app::InstanceRecord> record,
                   app::ReadRecord(instance.SuccessorPath()));
  if (!record) return {};
  const RunningServer server{app::ProcessHandle(record->pid), std::move(file)};
  if (!app::IsLocked(server.record.get())) return {};
  // One that still loads answers nobody, and notices no SIGTERM.
  const bool serves = !record->url.empty();
  const bool leaves = serves && beside_another && Leaves(instance.SocketPath(record->pid));
  if (!leaves) (void)server.process.Signal(serves ? SIGTERM : SIGKILL);
  (void)AwaitEnd(instance, *record, server,
                 PatienceWith(*record) + (leaves ? kFarewell : std::chrono::seconds(0)));
  return {};
}

app::Ending AwaitEnd(const app::Instance& instance, const app::InstanceRecord& record,
                     const RunningServer& server, std::chrono::seconds patience) {
  const app::Ending ending = app::WaitForEnd(server.record, server.process, patience);
  if (ending != app::Ending::kStays) (void)::unlink(instance.SocketPath(record.pid).c_str());
  return ending;
}

std::chrono::seconds PatienceWith(const app::InstanceRecord& record) {
  constexpr std::chrono::seconds kMore{5};
  return std::chrono::seconds(record.shutdown_timeout_s) + kMore;
}

}  // namespace embedding::cli
