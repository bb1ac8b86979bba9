// Scheduler: texts of many requests in, batches out. Each device has a computing thread, which
// takes the next batch whenever it is done with its last: they share one queue.
//
// Requests take turns: a batch gets one text of each waiting request in the order in which they
// came, then a second of each, and so on until the next text would exceed what the device takes. So
// every request that waits is served after at most one text of each request before it. Where
// several clients wait (EmbedRequest::client), it is they who take turns, and each client's turn is
// that of the next of its requests: a client with a hundred requests gets as many texts into a
// batch as one with a single request, whose wait does not depend on the hundred. Requests that
// nobody waits for any more are dropped before they cost anything. While a batch computes, the
// texts of further requests are tokenised by their callers and wait, so the next batch is ready
// when the thread is.
//
// A device that has failed gets no batch while another works, or it would take, one after another,
// all that wait to fail. It is checked until it works again. Where all have failed, whatever comes
// is tried. (One that hangs has not failed as far as the scheduler knows: beside it one that has
// takes nothing, until the server is restarted. /health tells of both.)
//
// A small request must not wait for a full batch of somebody else's texts each time: while small
// requests come beside large ones, the texts beyond the first of each request fill a batch to
// kSharedBatchTokens only. Whoever comes then waits for no more than that, or for one text that is
// longer.
//
// Memory that runs out costs the requests that it ran out for, never the thread.
//
// Thread-safety: Submit from any thread. run_batch and check are called on the device's computing
// thread; a request's Fail there too, or in the destructor for what is still queued.
#pragma once

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <functional>
#include <list>
#include <memory>
#include <span>
#include <string>
#include <thread>
#include <vector>

#include "backends/backend.h"
#include "base/mutex.h"
#include "base/result.h"
#include "embedding/observer.h"
#include "embedding/result_store.h"
#include "engine/pending_request.h"

namespace embedding {

// One text of one request, tokenised.
struct Job {
  std::vector<int32_t> ids;
  std::vector<int32_t> type_ids;
  std::shared_ptr<PendingRequest> request;
  size_t index = 0;           // of the text in its request
  ResultKey key = {};         // where there is a store of results
  uint32_t first_pooled = 0;  // as Batch has it
  int32_t adapter = -1;       // likewise
};

class Scheduler {
 public:
  // What a batch is cut to while small requests wait, in tokens, and how large a small request
  // is.
  static constexpr size_t kSharedBatchTokens = 256;

  struct Options {
    Limits limits;     // of a batch
    size_t max_queue;  // jobs
    EngineObserver* observer = nullptr;
    // How long after a failure the device is checked, and checked again.
    std::chrono::milliseconds check_interval{1000};
  };
  struct Device {
    // Computes the jobs and tells their requests. false if the device has failed; does not throw.
    std::function<bool(std::span<Job>)> run_batch;
    // Whether the device works again. Called once it has failed, while it gets no batch: whoever
    // keeps requests away from a failed server would wait for ever for a batch to mend it. Does not
    // throw.
    std::function<bool()> check;
  };

  // At least one device. Throws std::system_error where the system has no thread left.
  Scheduler(Options options, std::vector<Device> devices);
  // Finishes the batches in hand and fails the jobs that wait.
  ~Scheduler();
  Scheduler(const Scheduler&) = delete;
  Scheduler& operator=(const Scheduler&) = delete;

  // Whether a request of so many texts fits an empty queue. Errors: kInvalidArgument.
  Status CheckSize(size_t texts) const;

  // Queues the jobs of one request of `client`'s, all or none. Errors: kOverloaded if they do not
  // fit what is left of the queue, and as CheckSize. Throws std::bad_alloc.
  Status Submit(std::vector<Job> jobs, std::string client = {}) EXCLUDES(mutex_);

  // How often the computing threads have come round; wakes one to do so if any waits.
  uint64_t Turns() EXCLUDES(mutex_);

 private:
  // The jobs of one request that wait: from `next` on.
  struct Waiting {
    std::vector<Job> jobs;
    size_t next = 0;
    bool small = false;
    uint64_t batch = 0;  // the last that it has a text in

    size_t left() const { return jobs.size() - next; }
  };
  using Queue = std::list<Waiting>;
  struct Client {
    std::string name;
    Queue requests;  // never empty; the next turn is the first's
  };

  void Loop(const Device& device) EXCLUDES(mutex_);
  // Waits, for a device that is well or not, for work, for Turns, or until `check_at`; false when
  // stopping. Both may come out empty.
  bool NextBatch(bool is_well, const std::chrono::steady_clock::time_point& check_at,
                 std::vector<Job>& batch, Queue& abandoned) EXCLUDES(mutex_);
  // A device that was well or not is so, or not, now.
  void NoteHealth(bool was_well, bool is_well) EXCLUDES(mutex_);
  void Stop() EXCLUDES(mutex_);
  void Fill(std::vector<Job>& batch, Queue& abandoned) REQUIRES(mutex_);

  const Options options_;
  const std::vector<Device> devices_;

  Mutex mutex_;
  CondVar work_;
  std::list<Client> clients_ GUARDED_BY(mutex_);  // the next turn is the first's
  size_t waiting_jobs_ GUARDED_BY(mutex_) = 0;
  uint64_t batches_ GUARDED_BY(mutex_) = 0;       // that have been filled
  size_t shared_batches_ GUARDED_BY(mutex_) = 0;  // batches to come that are cut smaller
  bool stopping_ GUARDED_BY(mutex_) = false;
  bool woken_ GUARDED_BY(mutex_) = false;  // by Turns
  uint64_t turns_ GUARDED_BY(mutex_) = 0;

  size_t well_ GUARDED_BY(mutex_);  // devices that have not failed

  std::vector<std::thread> threads_;  // last: they use all of the above
};

}  // namespace embedding
