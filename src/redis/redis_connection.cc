#include "redis/redis_connection.h"

#include <fmt/format.h>
#include <poll.h>

#include <algorithm>
#include <cerrno>
#include <cstring>
#include <new>
#include <utility>
#include <vector>

#include "redis/redis_tls.h"

namespace embedding {

Error RedisConnection::Failed(std::string_view why, ErrorCode code) const {
  return {code, fmt::format("{}: {}", name_, why), {}};
}

Result<std::unique_ptr<RedisConnection>> RedisConnection::Open(
    const RedisAddress& address, Clock::time_point deadline,
    const std::atomic<Clock::time_point>& end) {
  redisContext* const context = redisConnectNonBlock(address.host.c_str(), address.port);
  if (context == nullptr) throw std::bad_alloc();
  std::unique_ptr<RedisConnection> connection(new RedisConnection(address, end, context));
  if (context->err != 0) return connection->Failed(context->errstr);
  // Until it is writable, it is neither connected nor refused.
  RETURN_IF_ERROR(connection->Wait(POLLOUT, deadline));
  if (address.tls) RETURN_IF_ERROR(BeginTls(*context, address));
  RETURN_IF_ERROR(connection->LogIn(address, deadline));
  return connection;
}

Status RedisConnection::WaitForEither(Clock::time_point deadline) const {
  // While it is still sent to, Redis may wait for its own replies to be read.
  if (all_sent_) return Wait(POLLIN, deadline);
  if (!tls_) return Wait(POLLIN | POLLOUT, deadline);
  // Writing may wait for what the other side has to say first, and a socket that takes it would be
  // no news: hiredis does not tell which.
  constexpr int kTlsSliceMs = 1;
  pollfd socket{context_->fd, POLLIN, 0};
  (void)::poll(&socket, 1, kTlsSliceMs);
  return Wait(POLLIN | POLLOUT, deadline);
}

Status RedisConnection::LogIn(const RedisAddress& address, Clock::time_point deadline) {
  if (!address.password.empty()) {
    if (address.user.empty()) {
      Append({"AUTH", address.password});
    } else {
      Append({"AUTH", address.user, address.password});
    }
    ASSIGN_OR_RETURN(const Reply logged_in, ReceiveOk(deadline));
  }
  if (address.database != 0) {
    Append({"SELECT", std::to_string(address.database)});
    ASSIGN_OR_RETURN(const Reply selected, ReceiveOk(deadline));
  }
  Append({"PING"});
  ASSIGN_OR_RETURN(const Reply pong, ReceiveOk(deadline));
  return {};
}

Status RedisConnection::Wait(short events, Clock::time_point deadline) const {
  using std::chrono::milliseconds;
  // How long it may take until it is noticed that the end has been brought forward.
  constexpr milliseconds kSlice{100};
  for (;;) {
    const auto left =
        std::chrono::ceil<milliseconds>(std::min(deadline, end_.load()) - Clock::now());
    if (left <= milliseconds(0)) return Failed("does not answer in time", ErrorCode::kTimeout);
    pollfd socket{context_->fd, events, 0};
    const int ready = ::poll(&socket, 1, static_cast<int>(std::min(left, kSlice).count()));
    if (ready > 0) return {};  // an error shows at the next write or read
    if (ready < 0 && errno != EINTR) return Failed(std::strerror(errno));
  }
}

void RedisConnection::Append(std::span<const std::string_view> command) {
  std::vector<const char*> parts;
  std::vector<size_t> sizes;
  for (const std::string_view part : command) {
    parts.push_back(part.data());
    sizes.push_back(part.size());
  }
  if (redisAppendCommandArgv(context_.get(), static_cast<int>(parts.size()), parts.data(),
                             sizes.data()) != REDIS_OK) {
    throw std::bad_alloc();
  }
  all_sent_ = false;
}

Result<RedisConnection::Reply> RedisConnection::Receive(Clock::time_point deadline) {
  redisContext* const context = context_.get();
  for (;;) {
    if (!all_sent_) {
      int all_sent = 0;
      if (redisBufferWrite(context, &all_sent) != REDIS_OK) return Failed(context->errstr);
      all_sent_ = all_sent != 0;
    }
    void* reply = nullptr;
    if (redisGetReplyFromReader(context, &reply) != REDIS_OK) return Failed(context->errstr);
    if (reply != nullptr) return Reply(static_cast<redisReply*>(reply));
    RETURN_IF_ERROR(WaitForEither(deadline));
    if (redisBufferRead(context) != REDIS_OK) return Failed(context->errstr);
  }
}

Result<RedisConnection::Reply> RedisConnection::ReceiveOk(Clock::time_point deadline) {
  ASSIGN_OR_RETURN(Reply reply, Receive(deadline));
  if (reply->type != REDIS_REPLY_ERROR) return reply;
  return Failed(std::string_view(reply->str, reply->len), ErrorCode::kUnsupported);
}

}  // namespace embedding
