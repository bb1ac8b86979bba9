// A server in the background, as its commands (start, stop, restart, status, logs) know it: files
// in the state folder, which only its user can enter.
//
//   <folder>/<name>.json   what it is (InstanceRecord)
//   <folder>/<name>.log    its log, unless --log-file names another
//   <folder>/<name>.<pid>.sock   where this process offers its sockets to a successor
//                          (http/succession.h): two may serve beside each other for a time
//   <folder>/<name>.work   whose lock a command holds that changes what runs
//
// The folder is $XDG_STATE_HOME/embedding-service, or ~/.local/state/embedding-service.
//
// Whether it runs is said by the lock (flock) of the .json file and nothing else: the server holds
// it for its life, since it inherits the descriptor, and the system gives it up whatever the server
// dies of. A process that has the recorded id by chance does not hold it. The file stays when the
// server has gone, as what `restart` starts.
// The server's process itself writes its id and its address there: the command that started it may
// have been killed by then.
//
// Thread-safety: values; for one thread at a time.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "base/result.h"
#include "hub/file_descriptor.h"

namespace embedding::app {

struct InstanceRecord {
  int64_t pid = 0;            // 0 once it has been stopped
  std::string url = {};       // empty until it is ready
  std::string model = {};     // the first
  std::string log_file = {};  // absolute
  int64_t started = 0;        // in seconds since 1970
  int64_t shutdown_timeout_s = 0;
  std::string directory = {};               // that it was started in: relative paths count from it
  std::vector<std::string> arguments = {};  // "--name=value"
  std::vector<std::string> environment = {};  // "NAME=value", what it reads of it
};

// What the file at `path` says; nothing if there is none. Errors: kInternal.
Result<std::optional<InstanceRecord>> ReadRecord(const std::string& path);

// Where the process of the instance with this Base() offers its sockets.
std::string OfferPath(const std::string& base, int64_t pid);

class Instance {
 public:
  // The name is a file's: letters, digits, '.', '-' and '_', the first of them a letter or a digit.
  // Makes the folder. Errors: kInvalidArgument for the name; kInternal for the folder.
  static Result<Instance> Of(const std::string& name);

  // The names of all that have been started here.
  static std::vector<std::string> Names();

  const std::string& name() const { return name_; }
  std::string Base() const { return base_; }
  std::string RecordPath() const;
  // That of a server that is to take the place of one that runs.
  std::string SuccessorPath() const;
  std::string LogPath() const { return base_ + ".log"; }
  std::string SocketPath(int64_t pid) const { return OfferPath(base_, pid); }
  std::string WorkPath() const { return base_ + ".work"; }

  Result<std::optional<InstanceRecord>> Read() const;

  // Whether a server holds the record.
  bool Runs() const;

 private:
  Instance(std::string name, std::string base) : name_(std::move(name)), base_(std::move(base)) {}

  std::string name_;
  std::string base_;
};

// Takes the lock of the file at `path`, which is made if it is not there; nothing if somebody else
// has it. It is held until the last copy of the descriptor is closed, those of other processes
// included. Errors: kInternal.
Result<std::optional<FileDescriptor>> LockFile(const std::string& path);

// Whether somebody holds the lock of the open file.
bool IsLocked(int descriptor);

// For the server's own process: writes where it serves into the record whose lock it inherited as
// `descriptor`, by Instance::Base(). Errors: kInternal: that is no record of this instance, or a
// full disk say.
Status WriteUrl(int descriptor, const std::string& base, const std::string& url);

// Writes it to a file whose lock the caller has. Errors: kInternal, a full disk say.
Status WriteRecord(int descriptor, const InstanceRecord& record);

}  // namespace embedding::app
