#include "cli/ending.h"

#include <fcntl.h>
#include <unistd.h>

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

std::chrono::seconds PatienceWith(const app::InstanceRecord& record) {
  constexpr std::chrono::seconds kMore{5};
  return std::chrono::seconds(record.shutdown_timeout_s) + kMore;
}

}  // namespace embedding::cli
