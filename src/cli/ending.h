// Ending a server in the background, and who may at a time.
#pragma once

#include <chrono>
#include <optional>

#include "app/instance.h"
#include "app/server_process.h"
#include "base/result.h"

namespace embedding::cli {

// The right to change what runs as this instance. Errors: kUnavailable: another command has it.
Result<FileDescriptor> BeginWork(const app::Instance& instance);

// The server that runs, held by its process and by the file whose lock it has.
struct RunningServer {
  app::ProcessHandle process;
  FileDescriptor record;
};

// Nothing if none runs.
std::optional<RunningServer> RunningServerOf(const app::Instance& instance,
                                             const app::InstanceRecord& record);

// Ends the successor that a restart left behind which was itself killed. Where it serves beside the
// server that it was to replace, it leaves its clients to that. For who has begun work.
Status EndLeftover(const app::Instance& instance, bool beside_another);

// Waits until it has ended, or kills it after `patience` (app::WaitForEnd), and clears away what it
// may leave.
app::Ending AwaitEnd(const app::Instance& instance, const app::InstanceRecord& record,
                     const RunningServer& server, std::chrono::seconds patience);

// What a server that leaves gives its clients to say farewell (http/server.cc).
inline constexpr std::chrono::seconds kFarewell{5};

// How long it may take to end once it is told to.
std::chrono::seconds PatienceWith(const app::InstanceRecord& record);

}  // namespace embedding::cli
