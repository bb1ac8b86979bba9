// Metrics: what was answered since the start, for Prometheus.
//
// Thread-safety: all of it.
#pragma once

#include <chrono>
#include <map>
#include <string>
#include <utility>

#include "base/mutex.h"

namespace embedding::api {

class Metrics {
 public:
  // One request to `path`, a route or "" for any other, answered with `status` after `duration`.
  void Count(const std::string& path, int status, std::chrono::duration<double> duration);

  // In Prometheus's text format 0.0.4, under text-embeddings-inference's names.
  std::string Text() const;

 private:
  struct Answers {
    size_t count = 0;
    double seconds = 0;
  };
  mutable Mutex mutex_;
  std::map<std::pair<std::string, int>, Answers> answers_ GUARDED_BY(mutex_);  // by path, status
};

}  // namespace embedding::api
