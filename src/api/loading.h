// Loading: how far the models are that a server waits for, for /health.
//
// Thread-safety: all of it.
#pragma once

#include <cstdint>
#include <optional>
#include <string>

#include "base/mutex.h"

namespace embedding::api {

class Loading {
 public:
  struct Download {
    std::string file;  // in the repository
    uint64_t done_bytes = 0;
    uint64_t total_bytes = 0;  // of all files; 0 if the hub does not say
  };

  // What is on its way by now; nothing once all of it is there.
  void Report(std::optional<Download> download) {
    const MutexLock lock(mutex_);
    download_ = std::move(download);
  }

  std::optional<Download> download() const {
    const MutexLock lock(mutex_);
    return download_;
  }

 private:
  mutable Mutex mutex_;
  std::optional<Download> download_ GUARDED_BY(mutex_);
};

}  // namespace embedding::api
