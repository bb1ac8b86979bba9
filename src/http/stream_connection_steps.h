// What every step of a StreamConnection is made of, its beginning and its end. Included by
// stream_connection.h alone.
#pragma once

#include <spdlog/spdlog.h>

#include <exception>

#include "http/stream_connection.h"

namespace embedding::http {

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
    idle_ = true;
    Transport<Stream>::Open(stream_, Then([](StreamConnection& self, const error_code& error) {
                              self.idle_ = false;
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
                              self.begun_ = std::chrono::steady_clock::now();
                              self.exchange_.record.client.address = self.peer_;
                              self.exchange_.record.request_id = self.shared_.request_ids.Next();
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
void StreamConnection<Stream>::Close() {
  if (sending_) {  // the client has left, or takes nothing of its answer
    sending_.reset();
    Report();
  }
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
  spdlog::error("request {}: {}; its connection is closed", exchange_.record.request_id, reason);
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
