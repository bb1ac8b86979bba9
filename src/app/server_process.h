// The process of a server in the background: starting it, waiting until it serves, ending it.
//
// Thread-safety: for the main thread of a program that has no other.
#pragma once

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <string>
#include <vector>

#include "app/instance.h"
#include "base/result.h"
#include "hub/file_descriptor.h"

namespace embedding::app {

// What came of a start.
struct StartOutcome {
  std::string url;         // where it serves; empty if it does not
  int exit_code = 0;       // that it ended with otherwise
  int signal = 0;          // or what ended it
  bool cancelled = false;  // the user interrupted this command
};

// In the server: the descriptor of its record, given how many sockets it inherited.
int InheritedRecord(size_t sockets);

class ServerProcess {
 public:
  // Starts `serve` of this program with `arguments`, in a session of its own, standard input from
  // nowhere. It inherits the sockets by systemd's protocol, and behind these the lock of the file
  // of `record` (InheritedRecord), where its id stands before it does anything. Errors: kInternal.
  static Result<ServerProcess> Start(const std::vector<std::string>& arguments,
                                     const InstanceRecord& record, const FileDescriptor& lock,
                                     const std::vector<int>& sockets);

  int64_t pid() const { return pid_; }

  // Passes on what it prints until it serves or has ended. An interrupt of this process
  // (SIGINT, SIGTERM, SIGHUP, unless ignored) ends it by `on_interrupt`.
  StartOutcome WaitUntilReady(int on_interrupt);

 private:
  ServerProcess(int64_t pid, FileDescriptor output, FileDescriptor errors)
      : pid_(pid), output_(std::move(output)), errors_(std::move(errors)) {}

  int64_t pid_;
  FileDescriptor output_;
  FileDescriptor errors_;
};

// A process by its id at the moment of opening: where the system has pidfds, a signal never meets
// another that has got the id since.
class ProcessHandle {
 public:
  explicit ProcessHandle(int64_t pid);
  // Whether it went to the process.
  bool Signal(int signal) const;

 private:
  int64_t pid_;
  FileDescriptor handle_;
};

// How a server was ended.
enum class Ending { kEnded, kKilled, kStays };

// Waits until nobody has the lock of `record` any more, which the process of `handle` had when the
// handle was opened; kills it when `patience` has passed and it still has, after a line that says
// so.
Ending WaitForEnd(const FileDescriptor& record, const ProcessHandle& handle,
                  std::chrono::seconds patience);

// Memory that a process has in use, in bytes; 0 where the system does not tell.
uint64_t ResidentBytes(int64_t pid);

}  // namespace embedding::app
