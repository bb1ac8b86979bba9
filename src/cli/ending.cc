#include "cli/ending.h"

#include <fcntl.h>
#include <unistd.h>

#include <csignal>
#include <utility>

namespace embedding::cli {

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

Status EndLeftover(const app::Instance& instance) {
  const FileDescriptor file(::open(instance.SuccessorPath().c_str(), O_RDWR | O_CLOEXEC));
  if (!file.valid() || !app::IsLocked(file.get())) return {};
  ASSIGN_OR_RETURN(const std::optional<app::InstanceRecord> record,
                   app::ReadRecord(instance.SuccessorPath()));
  if (!record) return {};
  const app::ProcessHandle process(record->pid);
  // One that still loads answers nobody, and notices no SIGTERM.
  if (app::IsLocked(file.get())) (void)process.Signal(record->url.empty() ? SIGKILL : SIGTERM);
  (void)app::WaitForEnd(file, process, PatienceWith(*record));
  return {};
}

std::chrono::seconds PatienceWith(const app::InstanceRecord& record) {
  constexpr std::chrono::seconds kMore{5};
  return std::chrono::seconds(record.shutdown_timeout_s) + kMore;
}

}  // namespace embedding::cli
