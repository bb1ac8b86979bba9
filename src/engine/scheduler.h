// Scheduler: texts of many requests in, batches out, one at a time, on one computing thread.
//
// Requests take turns: a batch gets one text of each waiting request in the order in which they
// came, then a second of each, and so on until the next text would exceed the token budget. So a
// request of a hundred texts does not hold up one of a single text, and every request that waits
// is served after at most one text of each request before it. (Texts of similar length need not go
// together: batches are not padded.) Requests that nobody waits for any more are dropped before
// they cost anything. While a batch computes, the texts of further requests are tokenised by their
// callers and wait, so the next batch is ready when the thread is.
//
// Thread-safety: Submit from any thread. run_batch is called on the computing thread; a request's
// Fail there too, or in the destructor for what is still queued.
#pragma once

#include <cstddef>
#include <cstdint>
#include <deque>
#include <functional>
#include <memory>
#include <span>
#include <thread>
#include <utility>
#include <vector>

#include "base/mutex.h"
#include "base/result.h"
#include "engine/pending_request.h"

namespace embedding {

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

  Scheduler(Options options, RunBatch run_batch);
  // Finishes the batch in hand and fails the jobs that wait.
  ~Scheduler();
  Scheduler(const Scheduler&) = delete;
  Scheduler& operator=(const Scheduler&) = delete;

  // Queues the jobs of one request, all or none. Errors: kOverloaded if they do not fit the queue.
  Status Submit(std::vector<Job> jobs) EXCLUDES(mutex_);

 private:
  using Jobs = std::deque<Job>;  // of one request
  struct Abandoned {
    Jobs jobs;
    Error reason;
  };

  void Loop() EXCLUDES(mutex_);
  // Waits for work; false when stopping. Either may come out empty.
  bool NextBatch(std::vector<Job>& batch, std::vector<Abandoned>& abandoned) EXCLUDES(mutex_);

  const Options options_;
  const RunBatch run_batch_;

  Mutex mutex_;
  CondVar work_;
  std::deque<Jobs> waiting_ GUARDED_BY(mutex_);  // none empty; the next turn is the first's
  size_t waiting_jobs_ GUARDED_BY(mutex_) = 0;
  bool stopping_ GUARDED_BY(mutex_) = false;

  std::thread thread_;  // last: it uses all of the above
};

}  // namespace embedding
