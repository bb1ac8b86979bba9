// The steps of a StreamConnection from its handler's answer on. Included by stream_connection.h
// alone.
#pragma once

#include <atomic>
#include <chrono>
#include <memory>
#include <optional>
#include <utility>

#include "http/stream_connection.h"

#include <boost/beast/http/write.hpp>

namespace embedding::http {

// For a client to take note that its connection is being closed.
inline constexpr std::chrono::seconds kCloseTimeout{2};

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
  if (!answer_ && !socket().is_open()) {  // the client has left while its body was on its way
    exchange_.record.status = static_cast<int>(StatusCode::kClientClosedRequest);
    return Report();
  }
  if (answer_) return Send(*std::exchange(answer_, std::nullopt));
  Send(WordsOf({StatusCode::kInternalServerError, "no answer was made: out of memory?"}));
}

template <typename Stream>
Response StreamConnection<Stream>::WordsOf(const Refusal& refusal) {
  Request about;
  about.method = exchange_.record.method;
  about.target = exchange_.record.target;
  about.request_id = exchange_.record.request_id;
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
  exchange_.keep_alive = exchange_.keep_alive && !shared_.draining && !shared_.leaving;
  Answered& record = exchange_.record;
  record.status = response.status;
  record.bytes_out = exchange_.head ? 0 : response.body.size();
  record.cost = response.cost;
  if (!response.client.id.empty()) record.client = std::move(response.client);
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

template <typename Stream>
void StreamConnection<Stream>::Report() {
  if (!shared_.application.answered) return;
  exchange_.record.total = std::chrono::steady_clock::now() - begun_;
  shared_.application.answered(exchange_.record);
}

// Closing a socket that has unread input makes the system throw away what the client has not yet
// received: the error it was to be told. So the client is first told that no more will come, and
// then has a moment to close in its turn, while what it still sends is read and dropped.
template <typename Stream>
void StreamConnection<Stream>::OnSent() {
  Disarm();
  sending_.reset();
  Report();
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

}  // namespace embedding::http
