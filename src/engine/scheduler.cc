#include "engine/scheduler.h"

#include <fmt/format.h>

#include <iterator>
#include <utility>

namespace embedding {

Scheduler::Scheduler(Options options, RunBatch run_batch, Fail fail)
    : options_(options),
      run_batch_(std::move(run_batch)),
      fail_(std::move(fail)),
      thread_([this] { Loop(); }) {}

Scheduler::~Scheduler() {
  {
    const MutexLock lock(mutex_);
    stopping_ = true;
  }
  work_.NotifyOne();
  thread_.join();
  std::deque<Job> left;
  {
    const MutexLock lock(mutex_);
    left.swap(queue_);
  }
  const Error error{ErrorCode::kUnavailable, "the engine is shutting down", {}};
  for (Job& job : left) fail_(job, error);
}

Status Scheduler::Submit(std::vector<Job> jobs) {
  {
    const MutexLock lock(mutex_);
    if (queue_.size() + jobs.size() > options_.max_queue) {
      return Error{ErrorCode::kOverloaded,
                   fmt::format("the queue is full: {} texts wait and {} more would exceed {}; try "
                               "again later",
                               queue_.size(), jobs.size(), options_.max_queue),
                   {}};
    }
    queue_.insert(queue_.end(), std::make_move_iterator(jobs.begin()),
                  std::make_move_iterator(jobs.end()));
  }
  work_.NotifyOne();
  return {};
}

std::vector<Job> Scheduler::NextBatch() {
  const MutexLock lock(mutex_);
  while (queue_.empty() && !stopping_) work_.Wait(mutex_);
  std::vector<Job> batch;
  if (stopping_) return batch;
  size_t tokens = 0;
  while (!queue_.empty()) {
    tokens += queue_.front().ids.size();
    if (!batch.empty() && tokens > options_.max_batch_tokens) break;
    batch.push_back(std::move(queue_.front()));
    queue_.pop_front();
  }
  return batch;
}

void Scheduler::Loop() {
  for (;;) {
    std::vector<Job> batch = NextBatch();
    if (batch.empty()) return;
    run_batch_(batch);
  }
}

}  // namespace embedding
