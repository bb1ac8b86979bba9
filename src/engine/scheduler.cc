#include "engine/scheduler.h"

#include <fmt/format.h>

#include <iterator>

namespace embedding {

Scheduler::Scheduler(Options options, RunBatch run_batch)
    : options_(options), run_batch_(std::move(run_batch)), thread_([this] { Loop(); }) {}

Scheduler::~Scheduler() {
  {
    const MutexLock lock(mutex_);
    stopping_ = true;
  }
  work_.NotifyOne();
  thread_.join();
  std::deque<Jobs> left;
  {
    const MutexLock lock(mutex_);
    left.swap(waiting_);
  }
  const Error error{ErrorCode::kUnavailable, "the engine is shutting down", {}};
  for (Jobs& jobs : left) {
    for (const Job& job : jobs) job.request->Fail(error);
  }
}

Status Scheduler::Submit(std::vector<Job> jobs) {
  {
    const MutexLock lock(mutex_);
    if (waiting_jobs_ + jobs.size() > options_.max_queue) {
      return Error{ErrorCode::kOverloaded,
                   fmt::format("the queue is full: {} texts wait, {} more would exceed its {}; try "
                               "again later",
                               waiting_jobs_, jobs.size(), options_.max_queue),
                   {}};
    }
    waiting_jobs_ += jobs.size();
    waiting_.emplace_back(std::make_move_iterator(jobs.begin()),
                          std::make_move_iterator(jobs.end()));
  }
  work_.NotifyOne();
  return {};
}

bool Scheduler::NextBatch(std::vector<Job>& batch, std::vector<Abandoned>& abandoned) {
  const MutexLock lock(mutex_);
  while (waiting_.empty() && !stopping_) work_.Wait(mutex_);
  if (stopping_) return false;
  size_t tokens = 0;
  while (!waiting_.empty()) {
    Jobs& jobs = waiting_.front();
    if (Status status = jobs.front().request->abandoned(); !status.ok()) {
      waiting_jobs_ -= jobs.size();
      abandoned.push_back({std::move(jobs), std::move(status).error()});
      waiting_.pop_front();
      continue;
    }
    tokens += jobs.front().ids.size();
    if (!batch.empty() && tokens > options_.max_batch_tokens) break;
    batch.push_back(std::move(jobs.front()));
    jobs.pop_front();
    --waiting_jobs_;
    if (!jobs.empty()) waiting_.push_back(std::move(jobs));
    waiting_.pop_front();
  }
  return true;
}

void Scheduler::Loop() {
  std::vector<Job> batch;
  std::vector<Abandoned> abandoned;
  while (NextBatch(batch, abandoned)) {
    for (const Abandoned& request : abandoned) {
      for (const Job& job : request.jobs) job.request->Fail(request.reason);
    }
    if (!batch.empty()) run_batch_(batch);
    batch.clear();
    abandoned.clear();
  }
}

}  // namespace embedding
