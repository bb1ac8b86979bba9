// What a running server takes over when its configuration is read again: keys and their limits, the
// files of TLS, and the log's level.
#pragma once

#include <functional>
#include <string>
#include <thread>
#include <vector>

#include "api/service.h"
#include "app/configuration.h"
#include "base/mutex.h"
#include "base/result.h"
#include "http/server.h"

namespace embedding::app {

struct Reread {
  Configuration configuration;       // complete
  std::vector<std::string> changed;  // options with other values than at the start: "--port"
};

// What the configuration is by now, or what is wrong with it.
using ReadAgain = std::function<Result<Reread>()>;

// Reads the configuration again, on a thread of its own, whenever it is told to. Takes over what
// can be, and logs that; warns of what has changed and needs a restart. What is wrong there changes
// nothing and is logged. The service manager is told. Thread-safe.
class Reloader {
 public:
  // The others outlive it. Throws std::system_error.
  Reloader(ReadAgain read_again, api::Service& service, http::Server& server);
  // Waits for the reading in hand.
  ~Reloader();
  Reloader(const Reloader&) = delete;
  Reloader& operator=(const Reloader&) = delete;

  // Soon; several calls may be one.
  void Reload() EXCLUDES(mutex_);

  // Whether it is reading: a file may be a pipe that nobody writes into.
  bool busy() EXCLUDES(mutex_);

 private:
  void Loop() EXCLUDES(mutex_);
  void ReadOnce();
  // All or nothing: what may fail comes first.
  Status TakeOver(const Configuration& fresh);
  // Of the options that have changed, those that are not taken over.
  std::vector<std::string> NeedARestart(const Reread& fresh) const;

  const ReadAgain read_again_;
  api::Service& service_;
  http::Server& server_;
  Mutex mutex_;
  CondVar told_;
  bool wanted_ GUARDED_BY(mutex_) = false;
  bool busy_ GUARDED_BY(mutex_) = false;
  bool stopping_ GUARDED_BY(mutex_) = false;
  std::thread thread_;  // last: it uses all of the above
};

}  // namespace embedding::app
