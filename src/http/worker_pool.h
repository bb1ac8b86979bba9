// WorkerPool: a few threads that run tasks in the order of their coming.
//
// Thread-safety: Post may be called from any thread, tasks included.
#pragma once

#include <deque>
#include <functional>
#include <thread>
#include <vector>

#include "base/mutex.h"

namespace embedding::http {

class WorkerPool {
 public:
  explicit WorkerPool(int threads);
  // Waits for the tasks that run, and drops those that have not begun.
  ~WorkerPool();
  WorkerPool(const WorkerPool&) = delete;
  WorkerPool& operator=(const WorkerPool&) = delete;

  // Queues a task, which must not throw.
  void Post(std::function<void()> task) EXCLUDES(mutex_);

 private:
  void Work() EXCLUDES(mutex_);

  Mutex mutex_;
  CondVar changed_;
  std::deque<std::function<void()>> tasks_ GUARDED_BY(mutex_);
  bool stopping_ GUARDED_BY(mutex_) = false;
  std::vector<std::thread> threads_;
};

}  // namespace embedding::http
