#include "serve/connection.h"

#include <spdlog/spdlog.h>

#include <algorithm>
#include <string_view>
#include <utility>

#include "api/errors.h"

#include <boost/beast/http/write.hpp>

namespace embedding::serve {
namespace {

namespace http = boost::beast::http;
using Clock = std::chrono::steady_clock;

// For a client to take note that its connection is being closed.
constexpr std::chrono::seconds kCloseTimeout{2};
// The first read of a request: a header and a few texts fit.
constexpr size_t kFirstReadBytes = 4096;
// Of a body: as much as a socket's buffer gives at a time.
constexpr size_t kBodyReadBytes = 64 * 1024;
// A body may take longer than its timeout as long as it comes faster than this.
constexpr size_t kMinBytesPerSecond = 1024;

constexpr std::string_view kContinue = "HTTP/1.1 100 Continue\r\n\r\n";

}  // namespace

template <typename Step>
void Connection::Guard(Step step) {
  try {
    step();
  } catch (const std::exception& e) {
    Abort(e.what());
  }
}

template <typename Step>
auto Connection::Then(Step step) {
  return [self = shared_from_this(), step = std::move(step)](const auto&... results) mutable {
    self->Guard([&] { step(*self, results...); });
  };
}

// What a handler's Respond holds: hands the answer over to the I/O thread, or, when it is destroyed
// without one, the news that none will come. Neither can fail.
class Connection::PendingAnswer {
 public:
  explicit PendingAnswer(std::shared_ptr<Connection> connection)
      : connection_(std::move(connection)) {}
  ~PendingAnswer() { Give(std::nullopt); }
  PendingAnswer(const PendingAnswer&) = delete;
  PendingAnswer& operator=(const PendingAnswer&) = delete;

  void Give(std::optional<api::Response> answer) noexcept {
    if (given_.test_and_set()) return;
    connection_->answer_ = std::move(answer);
    Connection& self = *connection_;
    // The connection is given away: the I/O thread is to be the last that knows it.
    asio::post(self.shared_.io, InSlot(self.answer_slot_, [connection = std::move(connection_)] {
                 connection->Guard([&] { connection->OnAnswer(); });
               }));
  }

 private:
  std::shared_ptr<Connection> connection_;
  std::atomic_flag given_;
};

Connection::~Connection() {
  if (!place_) return;
  shared_.connections.erase(*place_);
  if (shared_.on_closed) shared_.on_closed();
}

void Connection::Serve() {
  shared_.connections.push_front(this);
  place_ = shared_.connections.begin();
  Guard([this] { AwaitRequest(); });
}

void Connection::Refuse(const Error& error) {
  Guard([&] {
    exchange_.request_id = shared_.request_ids.Next();
    Fail(error);
  });
}

void Connection::CloseIfIdle() {
  error_code ignored;
  if (idle_) socket_.cancel(ignored);
}

template <typename Next>
void Connection::ReadSome(size_t bytes, Next next) {
  socket_.async_read_some(
      buffer_.prepare(bytes),
      Then([next = std::move(next)](Connection& self, const error_code& error, size_t received) {
        self.buffer_.commit(received);
        next(self, error);
      }));
}

void Connection::AwaitRequest() {
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
  ReadSome(kFirstReadBytes, [](Connection& self, const error_code& error) {
    const bool woken_to_drain =
        error == asio::error::operation_aborted && self.shared_.draining && !self.timed_out_;
    error_code unknown;
    // A request that came in the meantime still gets its answer.
    const bool goes_on = (!error && (!self.timed_out_ || SkipEmptyLines(self.buffer_))) ||
                         (woken_to_drain && self.socket_.available(unknown) > 0);
    goes_on ? self.AwaitRequest() : self.Close();
  });
  // After the read has begun, so that what has come already is still answered.
  if (shared_.draining) CloseIfIdle();
}

void Connection::ReadHeader() {
  const Result<bool> complete = reader_->TakeHeader(buffer_);
  if (!complete.ok() || *complete) {
    const api::Request& header = reader_->header();
    exchange_.request_id = shared_.request_ids.For(header.request_id);
    exchange_.target = header.target;
    exchange_.origin = header.origin;
    exchange_.version = reader_->version();
    exchange_.head = header.method == "HEAD";
  }
  if (!complete.ok()) return Fail(complete.error());
  if (*complete) return OnHeader();
  ReadSome(kFirstReadBytes, [](Connection& self, const error_code& error) {
    // A deadline may pass while the next bytes are on their way here.
    if (!error && !self.timed_out_) return self.ReadHeader();
    if (!self.timed_out_) return self.Close();
    self.exchange_.request_id = self.shared_.request_ids.Next();
    self.Fail({ErrorCode::kTimeout, "the request took too long to arrive", ""});
  });
}

void Connection::OnHeader() {
  if (shared_.draining) {
    return Fail({ErrorCode::kUnavailable, "the server is shutting down", ""});
  }
  if (shared_.application.refuse) {
    std::optional<api::Response> refusal = shared_.application.refuse(reader_->header());
    if (refusal) {
      // Nothing of the body has been asked for, and what comes of it is not read: there is no next
      // request on this connection.
      exchange_.keep_alive = reader_->keep_alive() && !reader_->has_body();
      return Send(*std::move(refusal));
    }
  }
  body_begun_ = Clock::now();
  if (!reader_->expects_continue() || buffer_.size() > 0) return ReadBody();
  Arm(shared_.timeouts.write);
  asio::async_write(socket_, asio::buffer(kContinue),
                    Then([](Connection& self, const error_code& error, size_t /*written*/) {
                      error ? self.Close() : self.ReadBody();
                    }));
}

void Connection::ReadBody() {
  const Result<bool> complete = reader_->TakeBody(buffer_);
  if (!complete.ok()) return Fail(complete.error());
  if (*complete) {
    exchange_.keep_alive = reader_->keep_alive();
    api::Request request = reader_->TakeRequest();
    reader_.reset();
    request.request_id = exchange_.request_id;
    return Handle(std::move(request));
  }
  Arm(body_begun_ + shared_.timeouts.body +
      std::chrono::seconds(reader_->body_bytes() / kMinBytesPerSecond));
  ReadSome(kBodyReadBytes, [](Connection& self, const error_code& error) {
    if (!error) return self.ReadBody();
    if (!self.timed_out_) return self.Close();
    self.Fail({ErrorCode::kTimeout, "the request took too long to arrive", ""});
  });
}

void Connection::Handle(api::Request request) {
  Disarm();
  auto cancelled = std::make_shared<std::atomic<bool>>(false);
  request.cancelled = cancelled;
  WatchForClose(std::move(cancelled));
  const auto pending = std::make_shared<PendingAnswer>(shared_from_this());
  shared_.application.handle(std::move(request), [pending](api::Response response) {
    pending->Give(std::move(response));
  });
}

void Connection::OnAnswer() {
  if (answering_) return;  // the step that handed the request over has thrown
  error_code ignored;
  socket_.cancel(ignored);  // the watch
  if (answer_) return Send(*std::exchange(answer_, std::nullopt));
  Send(api::ErrorResponse({ErrorCode::kInternal, "no answer was made: out of memory?", ""},
                          exchange_.target, exchange_.request_id));
}

// A client that closed only its sending side looks like one that has gone: it is taken for gone, as
// most HTTP servers do, for else whatever clients give up would be computed.
void Connection::WatchForClose(std::shared_ptr<std::atomic<bool>> cancelled) {
  socket_.async_wait(tcp::socket::wait_read,
                     Then([cancelled = std::move(cancelled)](Connection& self, error_code error) {
                       if (error) return;
                       char byte = 0;
                       self.socket_.non_blocking(true, error);
                       self.socket_.receive(asio::buffer(&byte, 1), tcp::socket::message_peek,
                                            error);
                       // Otherwise the next request has come, and hides what comes after it.
                       if (error && error != asio::error::would_block) *cancelled = true;
                     }));
}

void Connection::Fail(const Error& error) {
  exchange_.keep_alive = false;
  Send(api::ErrorResponse(error, exchange_.target, exchange_.request_id));
}

void Connection::Send(api::Response response) {
  answering_ = true;
  reader_.reset();
  if (shared_.application.finish) shared_.application.finish(exchange_.origin, response);
  exchange_.keep_alive = exchange_.keep_alive && !shared_.draining;
  sending_.emplace(std::move(response), exchange_);
  WriteSome();
}

// The limit is time without progress: a slow reader that is steady gets all of its answer.
void Connection::WriteSome() {
  Arm(shared_.timeouts.write);
  http::async_write_some(socket_, sending_->serializer(),
                         Then([](Connection& self, const error_code& error, size_t /*written*/) {
                           if (error) return self.Close();
                           self.sending_->serializer().is_done() ? self.OnSent() : self.WriteSome();
                         }));
}

void Connection::OnSent() {
  Disarm();
  sending_.reset();
  if (exchange_.keep_alive) return AwaitRequest();
  // Closing a socket that has unread input makes the system throw away what the client has not yet
  // received: the error it was to be told. So the client is first told that no more will come, and
  // then has a moment to close in its turn, while what it still sends is read and dropped.
  error_code failure;
  socket_.shutdown(tcp::socket::shutdown_send, failure);
  if (failure) return Close();
  Arm(kCloseTimeout);
  Linger();
}

void Connection::Linger() {
  buffer_.clear();
  ReadSome(kFirstReadBytes, [](Connection& self, const error_code& error) {
    error || self.timed_out_ ? self.Close() : self.Linger();
  });
}

void Connection::Close() {
  Disarm();
  idle_ = false;
  error_code ignored;
  socket_.close(ignored);
}

void Connection::Abort(const char* reason) {
  error_code ignored;
  socket_.cancel(ignored);
  if (!answering_) {
    try {
      return Fail({ErrorCode::kInternal, reason, ""});
    } catch (const std::exception&) {  // closed instead
    }
  }
  spdlog::error("request {}: {}; its connection is closed", exchange_.request_id, reason);
  Close();
}

void Connection::Arm(Clock::time_point due) {
  armed_ = true;
  timed_out_ = false;
  deadline_.expires_at(due);
  deadline_.async_wait(Then([](Connection& self, const error_code& cancelled) {
    // An expiry may be on its way already when the deadline is moved or disarmed.
    if (cancelled || !self.armed_ || self.deadline_.expiry() > Clock::now()) return;
    self.timed_out_ = true;
    error_code ignored;
    self.socket_.cancel(ignored);
  }));
}

void Connection::Disarm() {
  armed_ = false;
  deadline_.cancel();
}

}  // namespace embedding::serve
