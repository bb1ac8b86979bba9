#include "engine/scheduler.h"

#include <fmt/format.h>

#include <algorithm>
#include <numeric>
#include <utility>

namespace embedding {
namespace {

// For how many batches after one with a small and a large request the next small ones are expected:
// clients that ask again when they are answered come while the next batch is computed.
constexpr size_t kBatchesToExpectSmall = 8;

// One more; false, with the batch as it was, if memory has run out.
bool Append(Job& job, std::vector<Job>& batch) noexcept {
  try {
    batch.push_back(std::move(job));
    return true;
  } catch (const std::exception&) {  // before `job` was touched
    return false;
  }
}

// What the texts of a batch cost the device together.
class BatchSize {
 public:
  explicit BatchSize(const Limits& limits) : limits_(limits) {}

  // Whether one more text of so many tokens fits, with `max_tokens` in all.
  bool HasRoomFor(size_t tokens, size_t max_tokens) const {
    return texts_ < limits_.max_sequences && CostWith(tokens) <= max_tokens;
  }
  void Add(size_t tokens) {
    ++texts_;
    tokens_ += tokens;
    longest_ = std::max(longest_, tokens);
  }
  size_t texts() const { return texts_; }
  size_t tokens() const { return tokens_; }

 private:
  size_t CostWith(size_t tokens) const {
    return limits_.padded ? (texts_ + 1) * std::max(longest_, tokens) : tokens_ + tokens;
  }

  const Limits& limits_;
  size_t texts_ = 0;
  size_t tokens_ = 0;
  size_t longest_ = 0;
};

}  // namespace

Scheduler::Scheduler(Options options, RunBatch run_batch, Check check)
    : options_(options),
      run_batch_(std::move(run_batch)),
      check_(std::move(check)),
      thread_([this] { Loop(); }) {}

Scheduler::~Scheduler() {
  {
    const MutexLock lock(mutex_);
    stopping_ = true;
  }
  work_.NotifyOne();
  thread_.join();
  Queue left;
  {
    const MutexLock lock(mutex_);
    left.swap(waiting_);
  }
  static const Error error{ErrorCode::kUnavailable, "the engine is shutting down", {}};
  for (const Waiting& request : left) {
    for (size_t i = request.next; i < request.jobs.size(); ++i)
      request.jobs[i].request->Fail(error);
  }
}

Status Scheduler::CheckSize(size_t texts) const {
  if (texts <= options_.max_queue) return {};
  return Error{ErrorCode::kInvalidArgument,
               fmt::format("the request has {} texts, a rerank's query included, and the queue "
                           "takes {} (--max-queue); send fewer at a time",
                           texts, options_.max_queue),
               {}};
}

Status Scheduler::Submit(std::vector<Job> jobs) {
  const size_t count = jobs.size();
  RETURN_IF_ERROR(CheckSize(count));
  const size_t tokens =
      std::accumulate(jobs.begin(), jobs.end(), size_t{0},
                      [](size_t sum, const Job& job) { return sum + job.ids.size(); });
  Queue request;
  request.push_back({std::move(jobs), 0, tokens <= kSharedBatchTokens});
  {
    const MutexLock lock(mutex_);
    if (waiting_jobs_ + count > options_.max_queue) {
      return Error{ErrorCode::kOverloaded,
                   fmt::format("the queue is full: {} texts wait, {} more would exceed its {} "
                               "(--max-queue); try again later",
                               waiting_jobs_, count, options_.max_queue),
                   {}};
    }
    waiting_jobs_ += count;
    waiting_.splice(waiting_.end(), request);
    if (options_.observer != nullptr) options_.observer->OnQueue(waiting_jobs_);
  }
  work_.NotifyOne();
  return {};
}

bool Scheduler::NextBatch(const std::chrono::steady_clock::time_point* check_at,
                          std::vector<Job>& batch, Queue& abandoned) {
  const MutexLock lock(mutex_);
  while (waiting_.empty() && !stopping_) {
    if (check_at == nullptr) {
      work_.Wait(mutex_);
    } else if (std::chrono::steady_clock::now() < *check_at) {
      work_.WaitUntil(mutex_, *check_at);
    } else {
      return true;
    }
  }
  if (stopping_) return false;
  Fill(batch, abandoned);
  return true;
}

void Scheduler::Fill(std::vector<Job>& batch, Queue& abandoned) {
  const auto is_small = [](const Waiting& request) { return request.small; };
  const bool any_small = std::any_of(waiting_.begin(), waiting_.end(), is_small);
  const bool all_small = std::all_of(waiting_.begin(), waiting_.end(), is_small);
  if (any_small && !all_small) {
    shared_batches_ = kBatchesToExpectSmall;
  } else if (shared_batches_ > 0) {
    --shared_batches_;
  }
  const size_t max_tokens = options_.limits.max_tokens;
  const size_t shared_tokens =
      shared_batches_ > 0 ? std::min(kSharedBatchTokens, max_tokens) : max_tokens;
  size_t first_turn = waiting_.size();  // requests whose first text is still to be taken
  BatchSize size(options_.limits);
  while (!waiting_.empty()) {
    const auto request = waiting_.begin();
    const size_t limit = first_turn > 0 ? max_tokens : shared_tokens;
    if (first_turn > 0) --first_turn;
    Job& job = request->jobs[request->next];
    const bool abandon = job.request->abandoned();
    const size_t job_tokens = job.ids.size();
    if (!abandon && !batch.empty() && !size.HasRoomFor(job_tokens, limit)) break;
    if (abandon || !Append(job, batch)) {
      waiting_jobs_ -= request->left();
      abandoned.splice(abandoned.end(), waiting_, request);
      continue;
    }
    size.Add(job_tokens);
    ++request->next;
    --waiting_jobs_;
    if (request->left() > 0) {
      waiting_.splice(waiting_.end(), waiting_, request);
    } else {
      waiting_.erase(request);
    }
  }
  if (options_.observer == nullptr) return;
  if (size.texts() > 0) options_.observer->OnBatch(size.texts(), size.tokens());
  options_.observer->OnQueue(waiting_jobs_);
}

void Scheduler::Loop() {
  std::vector<Job> batch;
  Queue abandoned;
  bool healthy = true;
  std::chrono::steady_clock::time_point check_at;
  while (NextBatch(healthy ? nullptr : &check_at, batch, abandoned)) {
    for (const Waiting& request : abandoned) {
      for (size_t i = request.next; i < request.jobs.size(); ++i)
        request.jobs[i].request->Abandon();
    }
    if (!batch.empty()) {
      healthy = run_batch_(batch);
      check_at = std::chrono::steady_clock::now() + options_.check_interval;
    } else if (!healthy && std::chrono::steady_clock::now() >= check_at) {
      healthy = check_();
      check_at = std::chrono::steady_clock::now() + options_.check_interval;
    }
    batch.clear();
    abandoned.clear();
  }
}

}  // namespace embedding
