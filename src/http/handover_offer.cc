#include "http/handover_offer.h"

#include <unistd.h>

#include <chrono>
#include <list>
#include <memory>
#include <utility>

#include "http/socket_passing.h"

#include <boost/asio/local/stream_protocol.hpp>
#include <boost/asio/read.hpp>
#include <boost/asio/steady_timer.hpp>

namespace embedding::http {

using local = asio::local::stream_protocol;

constexpr std::chrono::milliseconds kRetry{100};

struct HandoverOffer::State : std::enable_shared_from_this<State> {
  State(asio::io_context& io, std::function<std::vector<int>()> sockets_to_offer,
        std::function<void()> taken)
      : acceptor(io), retry(io), sockets(std::move(sockets_to_offer)), on_taken(std::move(taken)) {}

  void Await() {
    acceptor.async_accept(
        [self = shared_from_this()](const error_code& error, local::socket socket) {
          if (error == asio::error::operation_aborted || !self->acceptor.is_open()) return;
          if (error) return self->AwaitLater();
          self->Offer(std::make_shared<local::socket>(std::move(socket)));
          self->Await();
        });
  }

  // No descriptor is free, say: whoever waits is still there then.
  void AwaitLater() {
    retry.expires_after(kRetry);
    retry.async_wait([self = shared_from_this()](const error_code& cancelled) {
      if (!cancelled && self->acceptor.is_open()) self->Await();
    });
  }

  void Offer(const std::shared_ptr<local::socket>& visitor) {
    if (!SendSockets(visitor->native_handle(), sockets())) return;
    visitors.remove_if([](const auto& gone) { return gone.expired(); });
    visitors.push_back(visitor);
    const auto answer = std::make_shared<char>();
    asio::async_read(*visitor, asio::buffer(answer.get(), 1),
                     [self = shared_from_this(), visitor, answer](const error_code& error, size_t) {
                       if (!error && *answer == kSocketsTaken) self->on_taken();
                     });
  }

  local::acceptor acceptor;
  asio::steady_timer retry;
  std::function<std::vector<int>()> sockets;
  std::function<void()> on_taken;
  std::list<std::weak_ptr<local::socket>> visitors;  // who have not said that they serve
  std::string path;                                  // empty unless it is open
};

HandoverOffer::HandoverOffer(asio::io_context& io, std::function<std::vector<int>()> sockets,
                             std::function<void()> on_taken)
    : state_(std::make_shared<State>(io, std::move(sockets), std::move(on_taken))) {}

HandoverOffer::~HandoverOffer() { Close(); }

Status HandoverOffer::Open(const std::string& path) {
  return InFolderOf(path, [&](const std::string& name) -> Status {
    (void)::unlink(name.c_str());  // of a process that was killed
    error_code error;
    state_->acceptor.open(local(), error);
    if (!error) state_->acceptor.bind(local::endpoint(name), error);
    if (!error) state_->acceptor.listen(tcp::acceptor::max_listen_connections, error);
    if (error) return SocketError(path, "cannot be listened on: " + error.message());
    state_->path = path;
    state_->Await();
    return {};
  });
}

void HandoverOffer::Close() {
  error_code ignored;
  state_->acceptor.close(ignored);
  state_->retry.cancel();
  for (const auto& visitor : state_->visitors) {
    if (const auto waiting = visitor.lock()) waiting->close(ignored);
  }
  if (!state_->path.empty()) (void)::unlink(std::exchange(state_->path, {}).c_str());
}

}  // namespace embedding::http
