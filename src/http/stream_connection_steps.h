// The steps of a StreamConnection. Included by stream_connection.h alone.
#pragma once

#include <spdlog/spdlog.h>

#include <exception>
#include <string_view>

#include "http/stream_connection.h"

#include <boost/beast/http/write.hpp>

namespace embedding::http {

// For a client to take note that its connection is being closed.
inline constexpr std::chrono::seconds kCloseTimeout{2};
// The first read of a request: a header and a few texts fit.
inline constexpr size_t kFirstReadBytes = 4096;
// Of a body: as much as a socket's buffer gives at a time.
inline constexpr size_t kBodyReadBytes = 64 * 1024;
// A body may take longer than its timeout as long as it comes faster than this.
inline constexpr size_t kMinBytesPerSecond = 1024;

inline constexpr std::string_view kContinue = "HTTP/1.1 100 Continue\r\n\r\n";

template <typename Stream>
template <typename Step>
void StreamConnection<Stream>::Guard(Step step) {
  try {
    step();
  } catch (const std::exception& e) {
    Abort(e.what());
  }
}

template <typename Stream>
template <typename Step>
auto StreamConnection<Stream>::Then(Step step) {
  return [self = this->shared_from_this(), step = std::move(step)](const auto&... results) mutable {
    self->Guard([&] { step(*self, results...); });
  };
}

// What a handler's Responder holds: hands the answer over to the I/O thread, or, when it is
// destroyed without one, the news that none will come. Neither can fail.
template <typename Stream>
class StreamConnection<Stream>::PendingAnswer {
 public:
  explicit PendingAnswer(std::shared_ptr<StreamConnection> connection)
      : connection_(std::move(connection)) {}
  ~PendingAnswer() { Give(std::nullopt); }
  PendingAnswer(const PendingAnswer&) = delete;
  PendingAnswer& operator=(const PendingAnswer&) = delete;

  void Give(std::optional<Response> answer) noexcept {
    if (given_.test_and_set()) return;
    connection_->answer_ = std::move(answer);
    StreamConnection& self = *connection_;
    // The connection is given away: the I/O thread is to be the last that knows it.
    asio::post(self.shared_.io, InSlot(self.answer_slot_, [connection = std::move(connection_)] {
                 connection->Guard([&] { connection->OnAnswer(); });
               }));
  }

 private:
  std::shared_ptr<StreamConnection> connection_;
  std::atomic_flag given_;
};

template <typename Stream>
StreamConnection<Stream>::~StreamConnection() {
  if (!place_) return;
  shared_.connections.erase(*place_);
  if (shared_.on_closed) shared_.on_closed();
}

template <typename Stream>
void StreamConnection<Stream>::Serve() {
  shared_.connections.push_front(this);
  place_ = shared_.connections.begin();
  Guard([this] {
    Arm(shared_.timeouts.header);
    Transport<Stream>::Open(stream_, Then([](StreamConnection& self, const error_code& error) {
                              self.Disarm();
                              error ? self.Close() : self.AwaitRequest();
                            }));
  });
}

template <typename Stream>
void StreamConnection<Stream>::Refuse(const Refusal& refusal) {
  Guard([&] {
    Arm(shared_.timeouts.header);
    Transport<Stream>::Open(stream_,
                            Then([refusal](StreamConnection& self, const error_code& error) {
                              if (error) return self.Close();
                              self.exchange_.request_id = self.shared_.request_ids.Next();
                              self.Fail(refusal);
                            }));
  });
}

template <typename Stream>
void StreamConnection<Stream>::CloseIfIdle() {
  error_code ignored;
  if (idle_) socket().cancel(ignored);
}

template <typename Stream>
template <typename Next>
void StreamConnection<Stream>::ReadSome(size_t bytes, Next next) {
  stream_.async_read_some(
      buffer_.prepare(bytes),
      Then([next = std::move(next)](StreamConnection& self, const error_code& error,
                                    size_t received) mutable {
        self.buffer_.commit(received);
        next(self, error);
      }));
}

template <typename Stream>
void StreamConnection<Stream>::AwaitRequest() {
  reader_.reset();
  if (buffer_.size() == 0 && buffer_.capacity() > kFirstReadBytes) buffer_.shrink_to_fit();
  if (SkipEmptyLines(buffer_)) {  // pipelined
    idle_ = false;
    reader_.emplace(shared_.payload_limit_bytes, shared_.bodies);
    answering_ = false;
    exchange_ = {};
    Arm(shared_.timeouts.header);
    return ReadHeader();
  }
  if (!idle_) Arm(shared_.timeouts.idle);
  idle_ = true;
  ReadSome(kFirstReadBytes, [](StreamConnection& self, const error_code& error) {
    const bool woken_to_drain =
        error == asio::error::operation_aborted && self.shared_.draining && !self.timed_out_;
    error_code unknown;
    // A request that came in the meantime still gets its answer.
    const bool goes_on = (!error && (!self.timed_out_ || SkipEmptyLines(self.buffer_))) ||
                         (woken_to_drain && self.socket().available(unknown) > 0);
    goes_on ? self.AwaitRequest() : self.Close();
  });
  // After the read has begun, so that what has come already is still answered.
  if (shared_.draining) CloseIfIdle();
}

template <typename Stream>
void StreamConnection<Stream>::ReadHeader() {
  const Progress progress = reader_->TakeHeader(buffer_);
  if (progress == Progress::kMore) {
    return ReadSome(kFirstReadBytes, [](StreamConnection& self, const error_code& error) {
      // A deadline may pass while the next bytes are on their way here.
      if (!error && !self.timed_out_) return self.ReadHeader();
      if (!self.timed_out_) return self.Close();
      self.exchange_.request_id = self.shared_.request_ids.Next();
      self.Fail({StatusCode::kRequestTimeout, "the request took too long to arrive"});
    });
  }
  const Request& header = reader_->header();
  exchange_.request_id = shared_.request_ids.For(header.request_id);
  exchange_.target = header.target;
  exchange_.origin = header.origin;
  exchange_.version = reader_->version();
  exchange_.head = header.method == "HEAD";
  if (progress == Progress::kRefused) return Fail(reader_->refusal());
  OnHeader();
}

template <typename Stream>
void StreamConnection<Stream>::OnHeader() {
  if (shared_.draining) {
    return Fail({StatusCode::kServiceUnavailable, "the server is shutting down"});
  }
  Request request = reader_->TakeHead();
  request.request_id = exchange_.request_id;
  request.unread_body = this->shared_from_this();
  cancelled_ = std::make_shared<std::atomic<bool>>(false);
  request.cancelled = cancelled_;
  const auto pending = std::make_shared<PendingAnswer>(this->shared_from_this());
  shared_.application.handler(std::move(request),
                              [pending](Response response) { pending->Give(std::move(response)); });
}

template <typename Stream>
void StreamConnection<Stream>::Read(Request request, Responder responder, const Handler& next) {
  auto waiting = std::make_unique<Waiting>(Waiting{std::move(request), std::move(responder), next});
  body_begun_ = std::chrono::steady_clock::now();
  if (!reader_->expects_continue() || buffer_.size() > 0) return ReadBody(std::move(waiting));
  Arm(shared_.timeouts.write);
  asio::async_write(
      stream_, asio::buffer(kContinue),
      Then([waiting = std::move(waiting)](StreamConnection& self, const error_code& error,
                                          size_t /*written*/) mutable {
        error ? self.Close() : self.ReadBody(std::move(waiting));
      }));
}

template <typename Stream>
void StreamConnection<Stream>::ReadBody(std::unique_ptr<Waiting> waiting) {
  const Progress progress = reader_->TakeBody(buffer_);
  if (progress == Progress::kRefused) return Fail(reader_->refusal());
  if (progress == Progress::kMore) {
    Arm(body_begun_ + shared_.timeouts.body +
        std::chrono::seconds(reader_->body_bytes() / kMinBytesPerSecond));
    return ReadSome(kBodyReadBytes, [waiting = std::move(waiting)](
                                        StreamConnection& self, const error_code& error) mutable {
      if (!error) return self.ReadBody(std::move(waiting));
      if (!self.timed_out_) return self.Close();
      self.Fail({StatusCode::kRequestTimeout, "the request took too long to arrive"});
    });
  }
  reader_->TakeBodyInto(waiting->request);
  exchange_.keep_alive = reader_->keep_alive();
  reader_.reset();
  Disarm();
  ReadAhead();
  waiting->next(std::move(waiting->request), std::move(waiting->responder));
}

// While a request is in hand the next one is read, or the news that the client has left. A client
// that closed only its sending side looks like one that has gone: it is taken for gone, as most
// HTTP servers do, for else whatever clients give up would be computed.
template <typename Stream>
void StreamConnection<Stream>::ReadAhead() {
  ReadSome(kFirstReadBytes, [](StreamConnection& self, const error_code& error) {
    self.reading_ahead_ = false;
    // Where something came, it hides what comes after it.
    if (error && error != asio::error::operation_aborted) *self.cancelled_ = true;
    if (self.answer_waits_) self.OnAnswer();
  });
  reading_ahead_ = true;
}

template <typename Stream>
void StreamConnection<Stream>::OnAnswer() {
  if (answering_) return;  // a step has thrown, or the body was refused
  answer_waits_ = reading_ahead_;
  if (reading_ahead_) {
    error_code ignored;
    socket().cancel(ignored);
    return;
  }
  // Nothing of a body that nobody asked for is read: there is no next request on this connection.
  if (reader_) exchange_.keep_alive = reader_->keep_alive() && !reader_->has_body();
  if (answer_) return Send(*std::exchange(answer_, std::nullopt));
  Send(WordsOf({StatusCode::kInternalServerError, "no answer was made: out of memory?"}));
}

template <typename Stream>
Response StreamConnection<Stream>::WordsOf(const Refusal& refusal) {
  Request about;
  about.target = exchange_.target;
  about.request_id = exchange_.request_id;
  about.origin = exchange_.origin;
  return shared_.application.word(refusal, about);
}

template <typename Stream>
void StreamConnection<Stream>::Fail(const Refusal& refusal) {
  exchange_.keep_alive = false;
  Send(WordsOf(refusal));
}

template <typename Stream>
void StreamConnection<Stream>::Send(Response response) {
  answering_ = true;
  reader_.reset();
  exchange_.keep_alive = exchange_.keep_alive && !shared_.draining;
  sending_.emplace(std::move(response), exchange_);
  WriteSome();
}

// The limit is time without progress: a slow reader that is steady gets all of its answer.
template <typename Stream>
void StreamConnection<Stream>::WriteSome() {
  Arm(shared_.timeouts.write);
  beast::http::async_write_some(
      stream_, sending_->serializer(),
      Then([](StreamConnection& self, const error_code& error, size_t /*written*/) {
        if (error) return self.Close();
        self.sending_->serializer().is_done() ? self.OnSent() : self.WriteSome();
      }));
}

// Closing a socket that has unread input makes the system throw away what the client has not yet
// received: the error it was to be told. So the client is first told that no more will come, and
// then has a moment to close in its turn, while what it still sends is read and dropped.
template <typename Stream>
void StreamConnection<Stream>::OnSent() {
  Disarm();
  sending_.reset();
  if (exchange_.keep_alive) return AwaitRequest();
  Arm(kCloseTimeout);
  Transport<Stream>::EndSending(stream_, Then([](StreamConnection& self, const error_code& error) {
                                  error ? self.Close() : self.Linger();
                                }));
}

template <typename Stream>
void StreamConnection<Stream>::Linger() {
  buffer_.clear();
  ReadSome(kFirstReadBytes, [](StreamConnection& self, const error_code& error) {
    error || self.timed_out_ ? self.Close() : self.Linger();
  });
}

template <typename Stream>
void StreamConnection<Stream>::Close() {
  Disarm();
  idle_ = false;
  error_code ignored;
  socket().close(ignored);
}

template <typename Stream>
void StreamConnection<Stream>::Abort(const char* reason) {
  error_code ignored;
  socket().cancel(ignored);
  if (!answering_) {
    try {
      return Fail({StatusCode::kInternalServerError, reason});
    } catch (const std::exception&) {  // closed instead
    }
  }
  spdlog::error("request {}: {}; its connection is closed", exchange_.request_id, reason);
  Close();
}

template <typename Stream>
void StreamConnection<Stream>::Arm(std::chrono::steady_clock::time_point due) {
  armed_ = true;
  timed_out_ = false;
  deadline_.expires_at(due);
  deadline_.async_wait(Then([](StreamConnection& self, const error_code& cancelled) {
    // An expiry may be on its way already when the deadline is moved or disarmed.
    if (cancelled || !self.armed_) return;
    if (self.deadline_.expiry() > std::chrono::steady_clock::now()) return;
    self.timed_out_ = true;
    error_code ignored;
    self.socket().cancel(ignored);
  }));
}

template <typename Stream>
void StreamConnection<Stream>::Disarm() {
  armed_ = false;
  deadline_.cancel();
}

}  // namespace embedding::http
