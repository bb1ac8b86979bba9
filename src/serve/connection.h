// Connection: one client's socket, and the requests that come over it one after another.
//
// Pipelined requests wait in the buffer until those before them are answered. Used on the server's
// I/O thread alone.
#pragma once

#include <atomic>
#include <chrono>
#include <cstddef>
#include <memory>
#include <optional>
#include <string>

#include "api/http.h"
#include "base/result.h"
#include "serve/asio.h"
#include "serve/request_id.h"
#include "serve/server.h"

#include <boost/beast/core/flat_buffer.hpp>

namespace embedding::serve {

// What all connections of a server share.
struct Shared {
  api::Handler handler;
  size_t payload_limit_bytes = 0;
  Timeouts timeouts = {};
  RequestIds request_ids = {};
  bool draining = false;  // no more requests; see Server::Run
};

class Connection : public std::enable_shared_from_this<Connection> {
 public:
  Connection(tcp::socket socket, Shared& shared)
      : socket_(std::move(socket)), deadline_(socket_.get_executor()), shared_(shared) {}
  Connection(const Connection&) = delete;
  Connection& operator=(const Connection&) = delete;

  // Answers requests until either side wants the connection closed. The socket closes with *this.
  asio::awaitable<void> Serve();

  // Sends one error instead.
  asio::awaitable<void> Refuse(Error error);

  // Makes Serve end unless a request is in hand or on its way.
  void CloseIfIdle();

 private:
  // What an answer has to know of its request.
  struct Exchange {
    unsigned version = 11;    // 10 for HTTP/1.0, 11 for HTTP/1.1
    bool keep_alive = false;  // as the client wants it
    bool head = false;        // the answer to HEAD has no body
    std::string request_id;
  };

  // These give false if the connection is to be closed.
  asio::awaitable<bool> ServeRequest();
  asio::awaitable<bool> AwaitFirstBytes();
  asio::awaitable<bool> Send(Exchange exchange, api::Response response);

  asio::awaitable<api::Response> Handle(api::Request request);
  asio::awaitable<void> AwaitClose();

  // Sets `cancelled` if the client closes its side before what is pending on the socket is
  // cancelled.
  void WatchForClose(std::shared_ptr<std::atomic<bool>> cancelled);

  // From now until Disarm the socket's operations together have this long; then what is pending is
  // cancelled and timed_out_ is set.
  void Arm(std::chrono::milliseconds timeout);
  void Disarm();

  // What to tell a client whose request could not be read; nothing if it has gone.
  std::optional<Error> ReadError(const error_code& error) const;

  tcp::socket socket_;
  asio::steady_timer deadline_;
  boost::beast::flat_buffer buffer_;  // received and not yet parsed
  Shared& shared_;
  bool idle_ = false;           // waiting for the first byte of a request
  bool answered_last_ = false;  // an answer has been sent that says it is the last
  bool armed_ = false;
  bool timed_out_ = false;
};

}  // namespace embedding::serve
