#include "redis/redis_store.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <exception>
#include <iterator>
#include <string_view>
#include <utility>

namespace embedding {
namespace {

using std::chrono::milliseconds;
using std::chrono::seconds;

// Keys of one MGET: Redis answers nobody else while it works on one.
constexpr size_t kKeysAtATime = 128;
// Results that are sent before their replies are read, unless one alone is larger.
constexpr size_t kSentBytes = size_t{1} << 20;
// What nobody waits for may take longer than what a request does.
constexpr seconds kSendTime{5};
constexpr seconds kConnectTime{1};
constexpr seconds kLastWritesTime{1};

constexpr std::string_view kNameBegin = "embedding:";

std::string NameOf(const ResultKey& key) {
  return fmt::format("{}{:016x}{:016x}", kNameBegin, key.hash[0], key.hash[1]);
}

Error NoReplyToMget(const std::string& name) {
  return {ErrorCode::kUnsupported, name + ": its reply to MGET is not one", {}};
}

std::string_view TextOf(const std::vector<std::byte>& bytes) {
  return {reinterpret_cast<const char*>(bytes.data()), bytes.size()};
}

StoredResult ResultOf(const redisReply& reply) {
  if (reply.type != REDIS_REPLY_STRING) return nullptr;
  const std::string_view text(reply.str, reply.len);
  const auto bytes = std::as_bytes(std::span(text));
  return std::make_shared<const std::vector<std::byte>>(bytes.begin(), bytes.end());
}

}  // namespace

RedisStore::RedisStore(RedisOptions options)
    : options_(std::move(options)), name_(options_.address.Shown()), thread_([this] { Work(); }) {}

RedisStore::~RedisStore() {
  {
    const MutexLock lock(mutex_);
    stopping_ = true;
    end_ = Clock::now() + kLastWritesTime;
  }
  work_.NotifyOne();
  returned_.NotifyAll();
  thread_.join();
}

RedisStore::ConnectionPtr RedisStore::Take(Clock::time_point deadline) {
  const MutexLock lock(mutex_);
  while (idle_.empty()) {
    if (!up_ || Clock::now() >= deadline) return nullptr;
    returned_.WaitUntil(mutex_, deadline);
  }
  ConnectionPtr connection = std::move(idle_.back());
  idle_.pop_back();
  return connection;
}

void RedisStore::GiveBack(ConnectionPtr connection) {
  {
    const MutexLock lock(mutex_);
    // There is room for as many as there were from the beginning.
    if (up_ && idle_.size() < options_.connections) idle_.push_back(std::move(connection));
  }
  returned_.NotifyOne();
}

void RedisStore::Fail(const Error& error) {
  ++errors_;
  std::vector<ConnectionPtr> closed;  // without the lock
  {
    const MutexLock lock(mutex_);
    if (!up_) return;  // another has said so
    up_ = false;
    failure_ = error.message;
    // A Redis that was started anew is there again at once; one that is slow may be in a moment.
    retry_at_ = Clock::now();
    if (error.code != ErrorCode::kUnavailable) retry_at_ += options_.retry;
    closed.swap(idle_);
    dropped_ += writes_.size();
    writes_.clear();
    queued_bytes_ = 0;
  }
  returned_.NotifyAll();
  work_.NotifyOne();
}

Status RedisStore::Ask(RedisConnection& connection, std::span<const ResultKey> keys,
                       std::span<const size_t> asked, std::span<StoredResult> found,
                       Clock::time_point deadline) {
  for (size_t begin = 0; begin < asked.size(); begin += kKeysAtATime) {
    std::vector<std::string> names;
    for (const size_t i : asked.subspan(begin, std::min(kKeysAtATime, asked.size() - begin))) {
      names.push_back(NameOf(keys[i]));
    }
    std::vector<std::string_view> command = {"MGET"};
    command.insert(command.end(), names.begin(), names.end());
    connection.Append(command);
  }
  for (size_t begin = 0; begin < asked.size(); begin += kKeysAtATime) {
    const auto these = asked.subspan(begin, std::min(kKeysAtATime, asked.size() - begin));
    ASSIGN_OR_RETURN(const RedisConnection::Reply reply, connection.ReceiveOk(deadline));
    if (reply->type != REDIS_REPLY_ARRAY || reply->elements != these.size()) {
      return NoReplyToMget(name_);
    }
    for (size_t i = 0; i < these.size(); ++i) found[these[i]] = ResultOf(*reply->element[i]);
  }
  return {};
}

void RedisStore::Find(std::span<const ResultKey> keys, std::span<StoredResult> found) noexcept {
  if (!up_) return;
  const Clock::time_point deadline = Clock::now() + options_.timeout;
  try {
    std::vector<size_t> asked;
    for (size_t i = 0; i < keys.size(); ++i) {
      if (found[i] == nullptr) asked.push_back(i);
    }
    ConnectionPtr connection = asked.empty() ? nullptr : Take(deadline);
    if (connection == nullptr) return;
    const Status answered = Ask(*connection, keys, asked, found, deadline);
    if (answered.ok()) {
      GiveBack(std::move(connection));
    } else {
      Fail(answered.error());
    }
    const auto hits = static_cast<uint64_t>(
        std::count_if(asked.begin(), asked.end(), [&](size_t i) { return found[i] != nullptr; }));
    hits_ += hits;
    misses_ += asked.size() - hits;
  } catch (const std::exception&) {
    // No memory. Its replies are still to come on that connection, which is closed.
    Fail({ErrorCode::kInternal, "out of memory", {}});
  }
}

void RedisStore::Put(const ResultKey& key, std::span<const std::byte> result) noexcept {
  const auto queue = [&] {
    if (!up_ || result.size() > kMostBytes) return false;
    Write write{key, {result.begin(), result.end()}};
    const MutexLock lock(mutex_);
    if (!up_ || queued_bytes_ + result.size() > options_.queue_bytes) return false;
    writes_.push_back(std::move(write));
    queued_bytes_ += result.size();
    if (writes_.size() == 1) work_.NotifyOne();
    return true;
  };
  try {
    if (queue()) return;
  } catch (const std::exception&) {
    // No memory: it is not put.
  }
  ++dropped_;
}

RedisStore::Task RedisStore::NextTask() {
  std::string away;
  for (;;) {
    if (!away.empty()) reports_.Away(std::exchange(away, {}));
    const MutexLock lock(mutex_);
    if (stopping_ && (!up_ || writes_.empty() || Clock::now() >= end_.load())) return Task::kStop;
    if (!up_) {
      if (Clock::now() >= retry_at_) return Task::kConnect;
      // It is said without the lock.
      away.swap(failure_);
      if (away.empty()) work_.WaitUntil(mutex_, retry_at_);
    } else if (!writes_.empty()) {
      return Task::kSend;
    } else {
      work_.Wait(mutex_);
    }
  }
}

Result<std::vector<RedisStore::ConnectionPtr>> RedisStore::OpenAll() const {
  std::vector<ConnectionPtr> opened;
  for (size_t i = 0; i <= options_.connections; ++i) {
    const auto deadline = Clock::now() + std::max<milliseconds>(kConnectTime, options_.timeout);
    ASSIGN_OR_RETURN(ConnectionPtr connection,
                     RedisConnection::Open(options_.address, deadline, end_));
    // And whether it answers what requests ask, as quickly as they want it.
    connection->Append({"MGET", kNameBegin});
    ASSIGN_OR_RETURN(const RedisConnection::Reply reply,
                     connection->ReceiveOk(Clock::now() + options_.timeout));
    if (reply->type != REDIS_REPLY_ARRAY) return NoReplyToMget(name_);
    opened.push_back(std::move(connection));
  }
  return opened;
}

void RedisStore::Connect() {
  writer_.reset();
  Result<std::vector<ConnectionPtr>> opened = OpenAll();
  const bool is_there = opened.ok();
  {
    const MutexLock lock(mutex_);
    if (is_there) {
      writer_ = std::move(opened->back());
      opened->pop_back();
      idle_ = *std::move(opened);
      failure_.clear();
      up_ = true;
    } else {
      ++errors_;
      retry_at_ = Clock::now() + options_.retry;
      failure_ = opened.error().message;
    }
  }
  if (is_there) reports_.There();
}

std::vector<RedisStore::Write> RedisStore::NextWrites() {
  const MutexLock lock(mutex_);
  std::vector<Write> next;
  for (size_t bytes = 0; !writes_.empty(); writes_.pop_front()) {
    const size_t size = writes_.front().result.size();
    if (bytes > 0 && bytes + size > kSentBytes) break;
    bytes += size + 1;
    queued_bytes_ -= size;
    next.push_back(std::move(writes_.front()));
  }
  return next;
}

Status RedisStore::Send(Clock::time_point deadline) {
  const std::vector<Write> writes = NextWrites();
  const std::string ttl = std::to_string(options_.ttl.count());
  for (const Write& write : writes) {
    const std::string name = NameOf(write.key);
    const std::array<std::string_view, 5> command = {"SET", name, TextOf(write.result), "EX", ttl};
    writer_->Append(std::span(command).first(options_.ttl.count() > 0 ? 5 : 3));
  }
  for (size_t i = 0; i < writes.size(); ++i) {
    ASSIGN_OR_RETURN(const RedisConnection::Reply reply, writer_->Receive(deadline));
    const bool refused = reply->type == REDIS_REPLY_ERROR;
    if (refused) ++errors_;
    reports_.Stores(refused ? std::string(reply->str, reply->len) : std::string());
  }
  return {};
}

void RedisStore::Work() {
  for (;;) {
    try {
      const Task task = NextTask();
      if (task == Task::kStop) break;
      if (task == Task::kConnect) {
        Connect();
      } else if (const Status sent = Send(Clock::now() + kSendTime); !sent.ok()) {
        Fail(sent.error());
      }
    } catch (const std::exception&) {
      Fail({ErrorCode::kInternal, "out of memory", {}});
      const MutexLock lock(mutex_);
      retry_at_ = Clock::now() + options_.retry;
    }
  }
}

std::vector<ResultStoreStats> RedisStore::stats() const {
  return {{.store = "redis",
           .hits = hits_,
           .misses = misses_,
           .errors = errors_,
           .dropped_writes = dropped_,
           .up = up_}};
}

}  // namespace embedding
