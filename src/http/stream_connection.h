// StreamConnection: a Connection over any stream that Transport knows (transport.h).
//
// Pipelined requests wait in the buffer until those before them are answered.
//
// Each step ends with starting the operation after which the next begins. (Not coroutines: an
// allocation that fails when one of Boost 1.74's starts an operation ends the process.) When memory
// runs out in a step, the request is answered 500 if no answer to it has begun and there is memory
// for that, and the connection is closed.
//
// The deadline is a timer of its own, not beast::tcp_stream's: that closes the socket when it
// expires, and a client that was too slow is still to be told so with 408; and where an allocation
// fails between its timer and its operation, the timer stays and the next one asserts.
#pragma once

#include <atomic>
#include <chrono>
#include <cstddef>
#include <list>
#include <memory>
#include <optional>
#include <string>
#include <utility>

#include "http/answer.h"
#include "http/asio.h"
#include "http/connection.h"
#include "http/handler.h"
#include "http/handler_slot.h"
#include "http/peer_address.h"
#include "http/request_reader.h"
#include "http/transport.h"

#include <boost/beast/core/flat_buffer.hpp>

namespace embedding::http {

// The first read of a request: a header and a few texts fit.
inline constexpr size_t kFirstReadBytes = 4096;

template <typename Stream>
class StreamConnection final : public Connection,
                               public BodySource,
                               public std::enable_shared_from_this<StreamConnection<Stream>> {
 public:
  StreamConnection(Stream stream, Shared& shared)
      : stream_(std::move(stream)),
        deadline_(stream_.get_executor()),
        shared_(shared),
        peer_(PeerAddress(socket())) {}
  ~StreamConnection() override;
  StreamConnection(const StreamConnection&) = delete;
  StreamConnection& operator=(const StreamConnection&) = delete;

  void Serve() override;
  void Refuse(const Refusal& refusal) override;
  void CloseIfIdle() override;
  void Read(Request request, Responder responder, const Handler& next) override;

 private:
  class PendingAnswer;
  // A request whose body is being read, and who is to have it then.
  struct Waiting {
    Request request;
    Responder responder;
    const Handler& next;
  };

  void AwaitRequest();
  void ReadHeader();
  void OnHeader();
  void ReadBody(std::unique_ptr<Waiting> waiting);
  void ReadAhead();
  void OnAnswer();
  Response WordsOf(const Refusal& refusal);
  // Tells the application that the request in hand has been answered.
  void Report();
  void Fail(const Refusal& refusal);
  void Send(Response response);
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
  // A handler of an operation on the stream or on the deadline: step(*this, ...) under Guard,
  // with *this alive.
  template <typename Step>
  auto Then(Step step);
  // What to do when a step has thrown.
  void Abort(const char* reason);

  // At `due` what is pending on the socket is cancelled and timed_out_ is set, unless Disarm is
  // called, or Arm again.
  void Arm(std::chrono::steady_clock::time_point due);
  void Arm(std::chrono::milliseconds timeout) { Arm(std::chrono::steady_clock::now() + timeout); }
  void Disarm();

  auto& socket() { return Transport<Stream>::SocketOf(stream_); }

  Stream stream_;
  asio::steady_timer deadline_;
  beast::flat_buffer buffer_;  // received and not yet parsed
  Shared& shared_;
  const std::string peer_;  // its address; empty for one that has none
  std::optional<std::list<Connection*>::iterator> place_;  // in shared_.connections

  std::optional<RequestReader> reader_;  // until the request's body is complete
  Exchange exchange_;
  std::chrono::steady_clock::time_point begun_;
  std::chrono::steady_clock::time_point body_begun_;
  HandlerSlot answer_slot_;
  std::optional<Response> answer_;  // from another thread; empty if there is none to come
  std::optional<Answer> sending_;   // the answer that is being sent

  // Of the request in hand: whether its client has left.
  std::shared_ptr<std::atomic<bool>> cancelled_;
  bool reading_ahead_ = false;  // a read is pending that began while a request was in hand
  bool answer_waits_ = false;   // for that read's end
  bool idle_ = false;           // waiting for the first byte of a request
  bool answering_ = false;      // an answer to the request in hand has begun
  bool armed_ = false;
  bool timed_out_ = false;
};

}  // namespace embedding::http

#include "http/stream_connection_receive.h"
#include "http/stream_connection_send.h"
#include "http/stream_connection_steps.h"
