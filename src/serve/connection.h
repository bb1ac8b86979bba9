// Connection: one client's socket, and the requests that come over it one after another.
//
// Pipelined requests wait in the buffer until those before them are answered. Used on the server's
// I/O thread alone. It lives as long as an operation on its socket, or a request in hand, knows it.
//
// Each step ends with starting the operation after which the next begins. (Not coroutines: an
// allocation that fails when one of Boost 1.74's starts an operation ends the process.) When memory
// runs out in a step, the request is answered 500 if no answer to it has begun and there is memory
// for that, and the connection is closed.
#pragma once

#include <atomic>
#include <chrono>
#include <cstddef>
#include <functional>
#include <list>
#include <memory>
#include <optional>
#include <string>

#include "api/http.h"
#include "base/byte_budget.h"
#include "base/result.h"
#include "serve/answer.h"
#include "serve/asio.h"
#include "serve/handler_slot.h"
#include "serve/request_id.h"
#include "serve/request_reader.h"
#include "serve/server.h"

#include <boost/beast/core/flat_buffer.hpp>

namespace embedding::serve {

class Connection;

// What all connections of a server share.
struct Shared {
  asio::io_context& io;
  Application application;
  size_t payload_limit_bytes = 0;
  ByteBudget bodies;  // of requests in hand and on their way
  Timeouts timeouts = {};
  RequestIds request_ids = {};
  bool draining = false;  // no more requests; see Server::Run
  // The connections that there are, refused ones aside.
  std::list<Connection*> connections = {};
  // Called when there is one less; does not throw.
  std::function<void()> on_closed;
};

class Connection : public std::enable_shared_from_this<Connection> {
 public:
  Connection(tcp::socket socket, Shared& shared)
      : socket_(std::move(socket)), deadline_(socket_.get_executor()), shared_(shared) {}
  ~Connection();
  Connection(const Connection&) = delete;
  Connection& operator=(const Connection&) = delete;

  // Answers requests until either side wants the connection closed.
  void Serve();

  // Sends one error instead.
  void Refuse(const Error& error);

  // Closes it unless a request is in hand or on its way.
  void CloseIfIdle();

 private:
  class PendingAnswer;

  void AwaitRequest();
  void ReadHeader();
  void OnHeader();
  void ReadBody();
  void Handle(api::Request request);
  void OnAnswer();
  void Fail(const Error& error);
  void Send(api::Response response);
  void WriteSome();
  void OnSent();
  void Linger();
  void Close();

  // Reads up to `bytes` into the buffer, then calls `next`, with `deadline_` running.
  template <typename Next>
  void ReadSome(size_t bytes, Next next);
  // Takes a step, and catches what it throws.
  template <typename Step>
  void Guard(Step step);
  // A handler of an operation on the socket or on the deadline: step(*this, ...) under Guard,
  // with *this alive.
  template <typename Step>
  auto Then(Step step);
  // What to do when a step has thrown.
  void Abort(const char* reason);

  // Sets `cancelled` if the client closes its side before what is pending on the socket is
  // cancelled.
  void WatchForClose(std::shared_ptr<std::atomic<bool>> cancelled);

  // At `due` what is pending on the socket is cancelled and timed_out_ is set, unless Disarm is
  // called, or Arm again.
  void Arm(std::chrono::steady_clock::time_point due);
  void Arm(std::chrono::milliseconds timeout) { Arm(std::chrono::steady_clock::now() + timeout); }
  void Disarm();

  tcp::socket socket_;
  asio::steady_timer deadline_;
  boost::beast::flat_buffer buffer_;  // received and not yet parsed
  Shared& shared_;
  std::optional<std::list<Connection*>::iterator> place_;  // in shared_.connections

  std::optional<RequestReader> reader_;
  Exchange exchange_;
  std::chrono::steady_clock::time_point body_begun_;
  HandlerSlot answer_slot_;
  std::optional<api::Response> answer_;  // from another thread; empty if there is none to come
  std::optional<Answer> sending_;        // the answer that is being sent

  bool idle_ = false;       // waiting for the first byte of a request
  bool answering_ = false;  // an answer to the request in hand has begun
  bool armed_ = false;
  bool timed_out_ = false;
};

}  // namespace embedding::serve
