#include "serve/connection.h"

#include <fmt/chrono.h>

#include <ctime>
#include <string_view>

#include "api/errors.h"

#include <boost/beast/core/string.hpp>
#include <boost/beast/http.hpp>

namespace embedding::serve {
namespace {

namespace http = boost::beast::http;

// For a client to take note that its connection is being closed.
constexpr std::chrono::seconds kCloseTimeout{2};
// Cookies and proxies' headers together stay below it; Node and Apache Tomcat draw the same order.
constexpr uint32_t kMaxHeaderBytes = 16 * 1024;
// The first read of a request: a header and a few texts fit.
constexpr size_t kFirstReadBytes = 4096;

constexpr std::string_view kContinue = "HTTP/1.1 100 Continue\r\n\r\n";

std::string_view View(boost::beast::string_view text) { return {text.data(), text.size()}; }

auto Into(error_code& error) { return asio::redirect_error(asio::use_awaitable, error); }

}  // namespace

asio::awaitable<void> Connection::Serve() {
  // Not `while (co_await ...)`: GCC 12 miscompiles it.
  bool open = true;
  while (open) open = co_await ServeRequest();
  if (answered_last_) co_await AwaitClose();
}

asio::awaitable<void> Connection::Refuse(Error error) {
  Exchange exchange;
  exchange.request_id = shared_.request_ids.Next();
  api::Response response = api::ErrorResponse(error, /*target=*/"", exchange.request_id);
  co_await Send(std::move(exchange), std::move(response));
  co_await AwaitClose();
}

void Connection::CloseIfIdle() {
  error_code ignored;
  if (idle_) socket_.cancel(ignored);
}

asio::awaitable<bool> Connection::ServeRequest() {
  const bool begun = co_await AwaitFirstBytes();
  if (!begun) co_return false;

  http::request_parser<http::string_body> parser;
  parser.header_limit(kMaxHeaderBytes);
  parser.body_limit(shared_.payload_limit_bytes);
  error_code failure;
  Arm(shared_.timeouts.header);
  // Checks Content-Length against the limit: a body that is too large is refused unread.
  co_await http::async_read_header(socket_, buffer_, parser, Into(failure));

  const auto& header = parser.get();
  Exchange exchange;
  exchange.request_id = shared_.request_ids.For(View(header["x-request-id"]));
  std::optional<Error> problem;
  if (!failure && shared_.draining) {
    problem = Error{ErrorCode::kUnavailable, "the server is shutting down", ""};
  } else if (!failure) {
    exchange.version = header.version() == 10 ? 10 : 11;
    exchange.head = header.method() == http::verb::head;
    Arm(shared_.timeouts.body);
    if (exchange.version == 11 &&
        boost::beast::iequals(header[http::field::expect], "100-continue")) {
      co_await asio::async_write(socket_, asio::buffer(kContinue), Into(failure));
    }
    if (!failure) co_await http::async_read(socket_, buffer_, parser, Into(failure));
  }
  Disarm();
  if (failure) {
    problem = ReadError(failure);
    if (!problem) co_return false;
  }

  api::Response response;
  if (problem) {
    response = api::ErrorResponse(*problem, View(parser.get().target()), exchange.request_id);
  } else {
    exchange.keep_alive = parser.keep_alive();
    auto message = parser.release();
    api::Request request;
    request.method = View(message.method_string());
    request.target = View(message.target());
    request.body = std::move(message.body());
    request.request_id = exchange.request_id;
    request.accept = View(message[http::field::accept]);
    request.authorization = View(message[http::field::authorization]);
    request.api_key = View(message["X-API-Key"]);
    auto cancelled = std::make_shared<std::atomic<bool>>(false);
    request.cancelled = cancelled;
    WatchForClose(std::move(cancelled));
    response = co_await Handle(std::move(request));
    error_code ignored;
    socket_.cancel(ignored);  // the watch
  }
  co_return co_await Send(std::move(exchange), std::move(response));
}

asio::awaitable<bool> Connection::AwaitFirstBytes() {
  if (buffer_.size() > 0) co_return true;  // pipelined
  if (shared_.draining) co_return false;
  error_code failure;
  idle_ = true;
  Arm(shared_.timeouts.idle);
  const size_t received =
      co_await socket_.async_read_some(buffer_.prepare(kFirstReadBytes), Into(failure));
  Disarm();
  idle_ = false;
  buffer_.commit(received);
  if (failure == asio::error::operation_aborted && shared_.draining) {
    // The server has begun to drain. A request that came in the meantime still gets its answer.
    error_code ignored;
    co_return socket_.available(ignored) > 0;
  }
  co_return !failure;
}

// Hands the request to the handler and waits for its answer, from whatever thread it comes.
asio::awaitable<api::Response> Connection::Handle(api::Request request) {
  auto initiate = [](auto completion, Connection* self, api::Request&& request_to_handle) {
    // Shared, because std::function wants to be copyable.
    auto resume = std::make_shared<decltype(completion)>(std::move(completion));
    self->shared_.handler(
        std::move(request_to_handle),
        [resume, executor = self->socket_.get_executor()](api::Response response) {
          asio::post(executor, [resume, response = std::move(response)]() mutable {
            std::move (*resume)(std::move(response));
          });
        });
  };
  return asio::async_initiate<const asio::use_awaitable_t<>, void(api::Response)>(
      std::move(initiate), asio::use_awaitable, this, std::move(request));
}

// A client that closed only its sending side looks like one that has gone: it is taken for gone, as
// most HTTP servers do, for else whatever clients give up would be computed.
void Connection::WatchForClose(std::shared_ptr<std::atomic<bool>> cancelled) {
  socket_.async_wait(
      tcp::socket::wait_read,
      [self = shared_from_this(), cancelled = std::move(cancelled)](const error_code& error) {
        if (error) return;
        char byte = 0;
        error_code closed;
        self->socket_.non_blocking(true, closed);
        self->socket_.receive(asio::buffer(&byte, 1), tcp::socket::message_peek, closed);
        // Otherwise the next request has come, and hides what comes after it.
        if (closed && closed != asio::error::would_block) *cancelled = true;
      });
}

asio::awaitable<bool> Connection::Send(Exchange exchange, api::Response response) {
  const bool keep_alive = exchange.keep_alive && !shared_.draining;
  http::response<http::string_body> message(static_cast<http::status>(response.status),
                                            exchange.version);
  message.set(http::field::date,
              fmt::format("{:%a, %d %b %Y %H:%M:%S} GMT", fmt::gmtime(std::time(nullptr))));
  message.set(http::field::content_type, response.content_type);
  message.set("x-request-id", exchange.request_id);
  for (const api::Header& header : response.headers) message.set(header.name, header.value);
  message.keep_alive(keep_alive);
  message.content_length(response.body.size());
  if (!exchange.head) message.body() = std::move(response.body);

  error_code failure;
  Arm(shared_.timeouts.write);
  co_await http::async_write(socket_, message, Into(failure));
  Disarm();
  answered_last_ = !failure && !keep_alive;
  co_return !failure && keep_alive;
}

// Closing a socket that has unread input makes the system throw away what the client has not yet
// received: the error it was to be told. So the client is first told that no more will come, and
// then has a moment to close in its turn, while what it still sends is read and dropped.
asio::awaitable<void> Connection::AwaitClose() {
  error_code failure;
  socket_.shutdown(tcp::socket::shutdown_send, failure);
  Arm(kCloseTimeout);
  while (!failure && !timed_out_) {
    buffer_.clear();
    co_await socket_.async_read_some(buffer_.prepare(kFirstReadBytes), Into(failure));
  }
  Disarm();
}

void Connection::Arm(std::chrono::milliseconds timeout) {
  armed_ = true;
  timed_out_ = false;
  deadline_.expires_after(timeout);
  deadline_.async_wait([self = shared_from_this()](const error_code& cancelled) {
    // An expiry may be on its way already when the deadline is moved or disarmed.
    const bool due = self->deadline_.expiry() <= asio::steady_timer::clock_type::now();
    if (cancelled || !self->armed_ || !due) return;
    self->timed_out_ = true;
    error_code ignored;
    self->socket_.cancel(ignored);
  });
}

void Connection::Disarm() {
  armed_ = false;
  deadline_.cancel();
}

std::optional<Error> Connection::ReadError(const error_code& error) const {
  if (timed_out_) {
    return Error{ErrorCode::kTimeout, "the request took too long to arrive", ""};
  }
  if (error == http::error::header_limit) {
    return Error{ErrorCode::kHeaderTooLarge,
                 "the header is larger than " + std::to_string(kMaxHeaderBytes) + " bytes", ""};
  }
  if (error == http::error::body_limit) {
    return Error{ErrorCode::kPayloadTooLarge,
                 "the body is larger than the limit of " +
                     std::to_string(shared_.payload_limit_bytes) + " bytes",
                 ""};
  }
  const bool bad_http = error.category() == http::make_error_code(http::error{}).category() &&
                        error != http::error::end_of_stream &&
                        error != http::error::partial_message;
  if (bad_http) {
    return Error{ErrorCode::kMalformed, "the request is not valid HTTP: " + error.message(), ""};
  }
  return std::nullopt;
}

}  // namespace embedding::serve
