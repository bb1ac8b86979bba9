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

Scheduler::Scheduler(Options options, std::vector<Device> devices)
    : options_(options), devices_(std::move(devices)), well_(devices_.size()) {
  try {
    for (const Device& device : devices_) threads_.emplace_back([this, &device] { Loop(device); });
  } catch (...) {
    Stop();
    throw;
  }
}

void Scheduler::Stop() {
  {
    const MutexLock lock(mutex_);
    stopping_ = true;
  }
  work_.NotifyAll();
  for (std::thread& thread : threads_) thread.join();
}

Scheduler::~Scheduler() {
  Stop();
  std::list<Client> left;
  {
    const MutexLock lock(mutex_);
    left.swap(clients_);
  }
  static const Error error{ErrorCode::kUnavailable, "the engine is shutting down", {}};
  for (const Client& client : left) {
    for (const Waiting& request : client.requests) {
      for (size_t i = request.next; i < request.jobs.size(); ++i)
        request.jobs[i].request->Fail(error);
    }
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

Status Scheduler::Submit(std::vector<Job> jobs, std::string client) {
  const size_t count = jobs.size();
  RETURN_IF_ERROR(CheckSize(count));
  const size_t tokens =
      std::accumulate(jobs.begin(), jobs.end(), size_t{0},
                      [](size_t sum, const Job& job) { return sum + job.ids.size(); });
  // What is allocated is allocated before the lock is taken.
  std::list<Client> added;
  Queue& request = added.emplace_back(Client{std::move(client), {}}).requests;
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
    const auto known = std::find_if(clients_.begin(), clients_.end(), [&](const Client& each) {
      return each.name == added.front().name;
    });
    if (known == clients_.end()) {
      clients_.splice(clients_.end(), added);
    } else {
      known->requests.splice(known->requests.end(), request);
    }
    if (options_.observer != nullptr) options_.observer->OnQueue(waiting_jobs_);
  }
  work_.NotifyAll();  // the device whose thread one notice would reach may have failed
  return {};
}

uint64_t Scheduler::Turns() {
  const MutexLock lock(mutex_);
  woken_ = true;
  work_.NotifyAll();
  return turns_;
}

bool Scheduler::NextBatch(bool is_well, const std::chrono::steady_clock::time_point& check_at,
                          std::vector<Job>& batch, Queue& abandoned) {
  const MutexLock lock(mutex_);
  ++turns_;
  const auto has_work = [&]() REQUIRES(mutex_) {
    return !clients_.empty() && (is_well || well_ == 0);
  };
  while (!has_work() && !stopping_ && !woken_) {
    if (is_well) {
      work_.Wait(mutex_);
    } else if (std::chrono::steady_clock::now() < check_at) {
      work_.WaitUntil(mutex_, check_at);
    } else {
      return true;
    }
  }
  if (stopping_) return false;
  woken_ = false;
  if (has_work()) Fill(batch, abandoned);
  return true;
}

void Scheduler::NoteHealth(bool was_well, bool is_well) {
  if (was_well == is_well) return;
  {
    const MutexLock lock(mutex_);
    well_ = is_well ? well_ + 1 : well_ - 1;
  }
  work_.NotifyAll();  // who may take what waits has changed
}

void Scheduler::Fill(std::vector<Job>& batch, Queue& abandoned) {
  bool any_small = false;
  bool all_small = true;
  for (const Client& client : clients_) {
    for (const Waiting& request : client.requests) {
      any_small = any_small || request.small;
      all_small = all_small && request.small;
    }
  }
  if (any_small && !all_small) {
    shared_batches_ = kBatchesToExpectSmall;
  } else if (shared_batches_ > 0) {
    --shared_batches_;
  }
  ++batches_;
  const size_t max_tokens = options_.limits.max_tokens;
  const size_t shared_tokens =
      shared_batches_ > 0 ? std::min(kSharedBatchTokens, max_tokens) : max_tokens;
  BatchSize size(options_.limits);
  while (!clients_.empty()) {
    const auto client = clients_.begin();
    const auto request = client->requests.begin();
    const bool is_first_text = request->batch != batches_;
    Job& job = request->jobs[request->next];
    const bool abandon = job.request->abandoned();
    const size_t job_tokens = job.ids.size();
    if (!abandon && !batch.empty() &&
        !size.HasRoomFor(job_tokens, is_first_text ? max_tokens : shared_tokens)) {
      break;
    }
    if (abandon || !Append(job, batch)) {
      waiting_jobs_ -= request->left();
      abandoned.splice(abandoned.end(), client->requests, request);
      if (client->requests.empty()) clients_.erase(client);
      continue;
    }
    size.Add(job_tokens);
    request->batch = batches_;
    ++request->next;
    --waiting_jobs_;
    if (request->left() > 0) {
      client->requests.splice(client->requests.end(), client->requests, request);
    } else {
      client->requests.erase(request);
    }
    if (client->requests.empty()) {
      clients_.erase(client);
    } else {
      clients_.splice(clients_.end(), clients_, client);
    }
  }
  if (options_.observer == nullptr) return;
  if (size.texts() > 0) options_.observer->OnBatch(size.texts(), size.tokens());
  options_.observer->OnQueue(waiting_jobs_);
}

void Scheduler::Loop(const Device& device) {
  std::vector<Job> batch;
  Queue abandoned;
  bool is_well = true;
  std::chrono::steady_clock::time_point check_at;
  while (NextBatch(is_well, check_at, batch, abandoned)) {
    for (const Waiting& request : abandoned) {
      for (size_t i = request.next; i < request.jobs.size(); ++i)
        request.jobs[i].request->Abandon();
    }
    const bool was_well = is_well;
    if (!batch.empty()) {
      is_well = device.run_batch(batch);
      check_at = std::chrono::steady_clock::now() + options_.check_interval;
    } else if (!is_well && std::chrono::steady_clock::now() >= check_at) {
      is_well = device.check();
      check_at = std::chrono::steady_clock::now() + options_.check_interval;
    }
    NoteHealth(was_well, is_well);
    batch.clear();
    abandoned.clear();
  }
}

}  // namespace embedding
