// RedisConnection: commands to a Redis and its replies, each within a deadline.
//
// hiredis writes and reads the protocol; waiting is done here, by poll, since hiredis' own
// time-outs hold for each read and not for a reply.
//
// Thread-safety: one thread at a time. After an error the connection is of no more use. The process
// ignores SIGPIPE, which hiredis' writes may raise.
#pragma once

#include <hiredis/hiredis.h>

#include <atomic>
#include <chrono>
#include <initializer_list>
#include <memory>
#include <span>
#include <string>
#include <string_view>

#include "base/result.h"
#include "redis/redis_address.h"

namespace embedding {

class RedisConnection {
 public:
  using Clock = std::chrono::steady_clock;
  struct FreeReply {
    void operator()(redisReply* reply) const { freeReplyObject(reply); }
  };
  using Reply = std::unique_ptr<redisReply, FreeReply>;

  // Connects and logs in; the name is resolved first, which the system may take its time for.
  // Waiting ends at `end` too, here and later; a tenth of a second after it has been brought
  // forward. Errors of this and of the others: kUnavailable, the connection fails; kTimeout;
  // kUnsupported, Redis refuses. None shows a password.
  static Result<std::unique_ptr<RedisConnection>> Open(const RedisAddress& address,
                                                       Clock::time_point deadline,
                                                       const std::atomic<Clock::time_point>& end);

  // Adds a command to those that the next Receive sends. Throws std::bad_alloc.
  void Append(std::span<const std::string_view> command);
  void Append(std::initializer_list<std::string_view> command) {
    Append(std::span(command.begin(), command.size()));
  }
  // The next reply, in the order of the commands. An error that Redis replies is a reply.
  Result<Reply> Receive(Clock::time_point deadline);
  // The same, where an error that Redis replies is one, kUnsupported.
  Result<Reply> ReceiveOk(Clock::time_point deadline);

 private:
  struct FreeContext {
    void operator()(redisContext* context) const { redisFree(context); }
  };

  RedisConnection(const RedisAddress& address, const std::atomic<Clock::time_point>& end,
                  redisContext* context)
      : name_(address.Shown()), tls_(address.tls), end_(end), context_(context) {}

  Error Failed(std::string_view why, ErrorCode code = ErrorCode::kUnavailable) const;
  // Waits until the socket is ready for one of poll's `events`.
  Status Wait(short events, Clock::time_point deadline) const;
  // Waits until writing or reading may get on.
  Status WaitForEither(Clock::time_point deadline) const;
  Status LogIn(const RedisAddress& address, Clock::time_point deadline);

  const std::string name_;  // for errors
  const bool tls_;
  const std::atomic<Clock::time_point>& end_;
  const std::unique_ptr<redisContext, FreeContext> context_;
  bool all_sent_ = true;
};

}  // namespace embedding
