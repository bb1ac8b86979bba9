// The steps of a StreamConnection up to the call of its handler. Included by stream_connection.h
// alone.
#pragma once

#include <chrono>
#include <cstddef>
#include <memory>
#include <string_view>
#include <utility>

#include "http/stream_connection.h"
#include "http/trace_context.h"

namespace embedding::http {

// Of a body: as much as a socket's buffer gives at a time.
inline constexpr size_t kBodyReadBytes = 64 * 1024;
// A body may take longer than its timeout as long as it comes faster than this.
inline constexpr size_t kMinBytesPerSecond = 1024;

inline constexpr std::string_view kContinue = "HTTP/1.1 100 Continue\r\n\r\n";

template <typename Stream>
void StreamConnection<Stream>::AwaitRequest() {
  reader_.reset();
  if (buffer_.size() == 0 && buffer_.capacity() > kFirstReadBytes) buffer_.shrink_to_fit();
  if (SkipEmptyLines(buffer_)) {  // pipelined
    idle_ = false;
    reader_.emplace(shared_.payload_limit_bytes, shared_.bodies);
    answering_ = false;
    exchange_ = {};
    exchange_.record.client.address = peer_;
    begun_ = std::chrono::steady_clock::now();
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
      self.exchange_.record.request_id = self.shared_.request_ids.Next();
      self.Fail({StatusCode::kRequestTimeout, "the request took too long to arrive"});
    });
  }
  const Request& header = reader_->header();
  Answered& record = exchange_.record;
  record.request_id = shared_.request_ids.For(header.request_id);
  record.method = header.method;
  record.target = header.target;
  record.trace_id = TraceIdOf(header.traceparent);
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
  request.request_id = exchange_.record.request_id;
  request.client.address = peer_;
  request.unread_body = this->shared_from_this();
  cancelled_ = std::make_shared<std::atomic<bool>>(false);
  request.cancelled = cancelled_;
  const auto pending = std::make_shared<PendingAnswer>(this->shared_from_this());
  shared_.application.handler(std::move(request),
                              [pending](Response response) { pending->Give(std::move(response)); });
}

template <typename Stream>
void StreamConnection<Stream>::Read(Request request, Responder responder, const Handler& next) {
  exchange_.record.client = request.client;
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
  exchange_.record.bytes_in = reader_->body_bytes();
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

}  // namespace embedding::http
