// Scheduler: texts of many requests in, batches out, one at a time, on one computing thread.
//
// Waiting texts are taken in the order in which they came until the next would exceed the token
// budget; a text longer than the budget is a batch by itself. While a batch computes, the texts of
// further requests are tokenised by their callers and wait, so the next batch is ready when the
// thread is.
//
// Thread-safety: Submit from any thread; run_batch and fail are called on the computing thread, one
// call at a time, except that fail runs in the destructor's thread for what is still queued.
#pragma once

#include <cstddef>
#include <cstdint>
#include <deque>
#include <functional>
#include <memory>
#include <span>
#include <thread>
#include <vector>

#include "base/mutex.h"
#include "base/result.h"

namespace embedding {

class PendingRequest;

// One text of one request, tokenised.
struct Job {
  std::vector<int32_t> ids;
  std::vector<int32_t> type_ids;
  std::shared_ptr<PendingRequest> request;
  size_t index = 0;  // of the text in its request
};

class Scheduler {
 public:
  struct Options {
    size_t max_batch_tokens;
    size_t max_queue;  // jobs
  };
  // Computes the jobs and tells their requests.
  using RunBatch = std::function<void(std::span<Job>)>;
  // Tells the job's request that it will not be computed.
  using Fail = std::function<void(Job&, const Error&)>;

  Scheduler(Options options, RunBatch run_batch, Fail fail);
  // Finishes the batch in hand and fails the jobs that wait.
  ~Scheduler();
  Scheduler(const Scheduler&) = delete;
  Scheduler& operator=(const Scheduler&) = delete;

  // Queues all jobs or none. Errors: kOverloaded if they do not fit the queue.
  Status Submit(std::vector<Job> jobs) EXCLUDES(mutex_);

 private:
  void Loop() EXCLUDES(mutex_);
  // Waits for work and takes a batch; empty when stopping.
  std::vector<Job> NextBatch() EXCLUDES(mutex_);

  const Options options_;
  const RunBatch run_batch_;
  const Fail fail_;

  Mutex mutex_;
  CondVar work_;
  std::deque<Job> queue_ GUARDED_BY(mutex_);
  bool stopping_ GUARDED_BY(mutex_) = false;

  std::thread thread_;  // last: it uses all of the above
};

}  // namespace embedding
