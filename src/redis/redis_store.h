// RedisStore: results in a Redis, for all processes that ask the same one.
//
// It may be slow, away or full without harm to a request beyond its time-out. A request asks for
// all of its results in one go (pipelined MGETs) on one of a few connections. Whatever fails there
// opens the circuit: from then on nobody asks, or waits, until a thread in the background has
// connected anew, which it tries at once where Redis closed the connection, and else every second.
// The same thread sends what is put, out of a queue of bounded bytes; what does not fit is dropped
// and counted.
//
// A change of state, away or there, storing or refusing to, is one line in the log. Keys are
// "embedding:" and 32 hexadecimal digits; values are the bytes of a result, which expire.
#pragma once

#include <atomic>
#include <chrono>
#include <cstddef>
#include <cstdint>
#include <deque>
#include <memory>
#include <span>
#include <string>
#include <thread>
#include <vector>

#include "base/mutex.h"
#include "embedding/result_store.h"
#include "redis/redis_address.h"
#include "redis/redis_connection.h"
#include "redis/redis_reports.h"

namespace embedding {

struct RedisOptions {
  RedisAddress address;
  // That a request waits for it, at most.
  std::chrono::milliseconds timeout{100};
  // After which Redis forgets a result; 0 leaves that to Redis' maxmemory-policy.
  std::chrono::seconds ttl{0};
  // Requests that ask at a time; more wait for one another.
  size_t connections = 2;
  // Of results that wait to be sent.
  size_t queue_bytes = size_t{32} << 20;
  // Between two tries to reach it.
  std::chrono::milliseconds retry{1000};
};

class RedisStore final : public ResultStore {
 public:
  // Results larger than this are not put there: one that large keeps it from answering others.
  static constexpr size_t kMostBytes = size_t{8} << 20;

  // Connects in the background. Throws std::system_error if there is no thread for it.
  explicit RedisStore(RedisOptions options);
  // Sends what is queued, for a second at most.
  ~RedisStore() override;
  RedisStore(const RedisStore&) = delete;
  RedisStore& operator=(const RedisStore&) = delete;

  // Waits for RedisOptions::timeout at most.
  void Find(std::span<const ResultKey> keys, std::span<StoredResult> found) noexcept override
      EXCLUDES(mutex_);
  void Put(const ResultKey& key, std::span<const std::byte> result) noexcept override
      EXCLUDES(mutex_);
  bool is_shared() const override { return true; }
  std::vector<ResultStoreStats> stats() const override;

 private:
  using Clock = RedisConnection::Clock;
  using ConnectionPtr = std::unique_ptr<RedisConnection>;
  struct Write {
    ResultKey key;
    std::vector<std::byte> result;
  };

  // Asks for the keys at `asked`; those that come before an error are in `found`.
  Status Ask(RedisConnection& connection, std::span<const ResultKey> keys,
             std::span<const size_t> asked, std::span<StoredResult> found,
             Clock::time_point deadline);
  // nullptr if there is none before the deadline.
  ConnectionPtr Take(Clock::time_point deadline) EXCLUDES(mutex_);
  void GiveBack(ConnectionPtr connection) EXCLUDES(mutex_);
  // Opens the circuit.
  void Fail(const Error& error) EXCLUDES(mutex_);

  // The thread in the background.
  enum class Task { kConnect, kSend, kStop };
  void Work() EXCLUDES(mutex_);
  // Waits for something to do.
  Task NextTask() EXCLUDES(mutex_);
  void Connect() EXCLUDES(mutex_);
  // One for the thread itself, and those of requests.
  Result<std::vector<ConnectionPtr>> OpenAll() const;
  std::vector<Write> NextWrites() EXCLUDES(mutex_);
  // Sends some of what is queued.
  Status Send(Clock::time_point deadline) EXCLUDES(mutex_);

  const RedisOptions options_;
  const std::string name_;  // for the log

  std::atomic<bool> up_ = false;
  // When all waiting ends, whatever its deadline: once the store is destroyed.
  std::atomic<Clock::time_point> end_ = Clock::time_point::max();
  std::atomic<uint64_t> hits_ = 0;
  std::atomic<uint64_t> misses_ = 0;
  std::atomic<uint64_t> errors_ = 0;
  std::atomic<uint64_t> dropped_ = 0;

  Mutex mutex_;
  CondVar returned_;  // a connection was given back, or all are closed
  CondVar work_;      // for the thread
  std::vector<ConnectionPtr> idle_ GUARDED_BY(mutex_);
  std::deque<Write> writes_ GUARDED_BY(mutex_);
  size_t queued_bytes_ GUARDED_BY(mutex_) = 0;
  bool stopping_ GUARDED_BY(mutex_) = false;
  std::string failure_ GUARDED_BY(mutex_);  // why it is away
  Clock::time_point retry_at_ GUARDED_BY(mutex_) = {};

  // The thread's own.
  ConnectionPtr writer_;
  RedisReports reports_{name_};
  std::thread thread_;  // last: it uses all of the above
};

}  // namespace embedding
