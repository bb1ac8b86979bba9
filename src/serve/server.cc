#include "serve/server.h"

#include <spdlog/spdlog.h>

#include <algorithm>
#include <csignal>
#include <set>
#include <string>
#include <utility>

#include "serve/asio.h"
#include "serve/connection.h"
#include "serve/file_limit.h"

namespace embedding::serve {
namespace {

// Connections over the limit that are being told so. Beyond these they are closed without a word:
// a flood must not be able to hold many more descriptors than the limit says.
constexpr size_t kMaxRefusals = 64;

// The model's weight files, log, timers and sockets of the process itself, generously.
constexpr size_t kOtherFiles = 128;

// How long to wait when the system has no descriptor left for a new connection.
constexpr std::chrono::milliseconds kAcceptRetry{100};

std::string UrlOf(const tcp::endpoint& endpoint) {
  const std::string host = endpoint.address().to_string();
  return "http://" + (endpoint.address().is_v6() ? '[' + host + ']' : host) + ':' +
         std::to_string(endpoint.port());
}

class AsioServer final : public Server {
 public:
  AsioServer(const ServerOptions& options, api::Handler handler)
      : options_(options),
        shared_{.handler = std::move(handler),
                .payload_limit_bytes = options.payload_limit_bytes,
                .timeouts = options.timeouts},
        acceptor_(io_),
        signals_(io_, SIGINT, SIGTERM),
        shutdown_timer_(io_) {}

  Status Open() {
    const std::string address = options_.host + ':' + std::to_string(options_.port);
    error_code error;
    const auto found =
        tcp::resolver(io_).resolve(options_.host, std::to_string(options_.port), error);
    if (error) {
      return Error{ErrorCode::kAddressInUse,
                   "cannot listen on " + address + ": " + error.message() + "; check --host", ""};
    }
    const tcp::endpoint endpoint = found.begin()->endpoint();
    acceptor_.open(endpoint.protocol(), error);
    if (!error) acceptor_.set_option(tcp::acceptor::reuse_address(true), error);
    if (!error) acceptor_.bind(endpoint, error);
    if (!error) acceptor_.listen(tcp::acceptor::max_listen_connections, error);
    if (error) {
      return Error{ErrorCode::kAddressInUse,
                   "cannot listen on " + address + ": " + error.message() +
                       "; stop what uses it or choose another --port or --host",
                   ""};
    }
    url_ = UrlOf(acceptor_.local_endpoint());
    const size_t files = RaiseFileLimit(options_.max_connections + kMaxRefusals + kOtherFiles);
    const size_t affordable = files - std::min(files, kMaxRefusals + kOtherFiles);
    if (affordable < options_.max_connections) {
      spdlog::warn("the limit of {} open files allows {} connections, not {}; raise ulimit -n",
                   files, affordable, options_.max_connections);
      options_.max_connections = affordable;
    }
    return {};
  }

  std::string url() const override { return url_; }

  Status Run() override {
    signals_.async_wait([this](const error_code& error, int /*signal*/) {
      if (!error) Drain();
    });
    asio::co_spawn(io_, AcceptLoop(), asio::detached);
    // While the server serves, the acceptor keeps the loop alive; while it drains, the timer.
    io_.run();
    if (connections_.empty()) return {};
    return Error{ErrorCode::kTimeout,
                 std::to_string(connections_.size()) +
                     " connections were cut when the shutdown timeout of " +
                     std::to_string(options_.shutdown_timeout.count()) + " s had passed",
                 ""};
  }

  void Stop() override {
    asio::post(io_, [this] { Drain(); });
  }

 private:
  asio::awaitable<void> AcceptLoop() {
    while (acceptor_.is_open()) {
      tcp::socket socket(io_);
      error_code error;
      co_await acceptor_.async_accept(socket, asio::redirect_error(asio::use_awaitable, error));
      if (!error) {
        Admit(std::move(socket));
      } else if (acceptor_.is_open()) {
        spdlog::warn("cannot accept a connection: {}", error.message());
        asio::steady_timer retry(io_, kAcceptRetry);
        co_await retry.async_wait(asio::redirect_error(asio::use_awaitable, error));
      }
    }
  }

  void Admit(tcp::socket socket) {
    error_code ignored;
    socket.set_option(tcp::no_delay(true), ignored);
    auto connection = std::make_shared<Connection>(std::move(socket), shared_);
    if (connections_.size() < options_.max_connections) {
      connections_.insert(connection.get());
      asio::co_spawn(io_, Serve(std::move(connection)), asio::detached);
    } else if (refusals_ < kMaxRefusals) {
      asio::co_spawn(io_, Refuse(std::move(connection)), asio::detached);
    }
  }

  asio::awaitable<void> Serve(std::shared_ptr<Connection> connection) {
    co_await connection->Serve();
    connections_.erase(connection.get());
    if (shared_.draining && connections_.empty()) shutdown_timer_.cancel();
  }

  asio::awaitable<void> Refuse(std::shared_ptr<Connection> connection) {
    ++refusals_;
    // Not a temporary: GCC 12 destroys those of a co_await expression twice.
    Error reason = {ErrorCode::kUnavailable,
                    "the server has its " + std::to_string(options_.max_connections) +
                        " connections already, try again",
                    ""};
    co_await connection->Refuse(std::move(reason));
    --refusals_;
  }

  void Drain() {
    if (shared_.draining) return;
    shared_.draining = true;
    error_code ignored;
    acceptor_.close(ignored);
    signals_.cancel(ignored);
    signals_.clear(ignored);  // a second signal does what it does by default: ends the process
    for (Connection* connection : connections_) connection->CloseIfIdle();
    if (connections_.empty()) return;
    spdlog::info("shutting down: {} connections open", connections_.size());
    shutdown_timer_.expires_after(options_.shutdown_timeout);
    shutdown_timer_.async_wait([this](const error_code& error) {
      if (!error) io_.stop();
    });
  }

  ServerOptions options_;
  std::string url_;
  Shared shared_;
  std::set<Connection*> connections_;
  size_t refusals_ = 0;
  // After what the coroutines use: destroying the context ends those that are left.
  asio::io_context io_{1};
  tcp::acceptor acceptor_;
  asio::signal_set signals_;
  asio::steady_timer shutdown_timer_;
};

}  // namespace

Result<std::unique_ptr<Server>> Server::Listen(const ServerOptions& options, api::Handler handler) {
  auto server = std::make_unique<AsioServer>(options, std::move(handler));
  RETURN_IF_ERROR(server->Open());
  return std::unique_ptr<Server>(std::move(server));
}

}  // namespace embedding::serve
