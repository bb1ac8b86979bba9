#include "http/handover_offer.h"

#include <unistd.h>

#include <cerrno>
#include <cstdio>
#include <utility>

#include "http/socket_passing.h"

#include <boost/asio/local/stream_protocol.hpp>
#include <boost/asio/read.hpp>

namespace embedding::http {

using local = asio::local::stream_protocol;

struct HandoverOffer::State : std::enable_shared_from_this<State> {
  State(asio::io_context& io, std::function<std::vector<int>()> sockets_to_offer,
        std::function<void()> taken)
      : acceptor(io), sockets(std::move(sockets_to_offer)), on_taken(std::move(taken)) {}

  void Await() {
    acceptor.async_accept(
        [self = shared_from_this()](const error_code& error, local::socket socket) {
          if (error) return;
          self->Offer(std::make_shared<local::socket>(std::move(socket)));
          self->Await();
        });
  }

  void Offer(const std::shared_ptr<local::socket>& visitor) {
    if (!SendSockets(visitor->native_handle(), sockets())) return;
    const auto answer = std::make_shared<char>();
    asio::async_read(*visitor, asio::buffer(answer.get(), 1),
                     [self = shared_from_this(), visitor, answer](const error_code& error, size_t) {
                       if (!error && *answer == kSocketsTaken) self->on_taken();
                     });
  }

  local::acceptor acceptor;
  std::function<std::vector<int>()> sockets;
  std::function<void()> on_taken;
};

HandoverOffer::HandoverOffer(asio::io_context& io, std::function<std::vector<int>()> sockets,
                             std::function<void()> on_taken)
    : state_(std::make_shared<State>(io, std::move(sockets), std::move(on_taken))) {}

HandoverOffer::~HandoverOffer() { Close(); }

Status HandoverOffer::Open(const std::string& path) {
  return InFolderOf(path, [&](const std::string& name) -> Status {
    // Beside it first: until the name is taken over, the server before offers.
    const std::string beside = name + '.' + std::to_string(::getpid());
    (void)::unlink(beside.c_str());
    error_code error;
    state_->acceptor.open(local(), error);
    if (!error) state_->acceptor.bind(local::endpoint(beside), error);
    if (!error) state_->acceptor.listen(tcp::acceptor::max_listen_connections, error);
    if (!error && std::rename(beside.c_str(), name.c_str()) != 0)
      error = error_code(errno, boost::system::generic_category());
    if (error) return SocketError(path, "cannot be listened on: " + error.message());
    state_->Await();
    return {};
  });
}

void HandoverOffer::Close() {
  error_code ignored;
  state_->acceptor.close(ignored);
}

}  // namespace embedding::http
