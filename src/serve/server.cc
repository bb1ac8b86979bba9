#include "serve/server.h"

#include <spdlog/spdlog.h>

#include <algorithm>
#include <csignal>
#include <list>
#include <memory>
#include <string>
#include <utility>

#include "serve/asio.h"
#include "serve/connection.h"
#include "serve/file_limit.h"
#include "serve/handler_slot.h"

namespace embedding::serve {
namespace {

// Connections over the limit that are being told so. Beyond these they are closed without a word:
// a flood must not be able to hold many more descriptors than the limit says.
constexpr size_t kMaxRefusals = 64;

// The model's weight files, log, timers and sockets of the process itself, generously.
constexpr size_t kOtherFiles = 128;

// How long to wait when the system has no descriptor left for a new connection, and how seldom to
// say so.
constexpr std::chrono::milliseconds kAcceptRetry{100};
constexpr std::chrono::seconds kAcceptWarning{10};

std::string UrlOf(const tcp::endpoint& endpoint) {
  const std::string host = endpoint.address().to_string();
  return "http://" + (endpoint.address().is_v6() ? '[' + host + ']' : host) + ':' +
         std::to_string(endpoint.port());
}

class AsioServer final : public Server {
 public:
  AsioServer(const ServerOptions& options, Application application)
      : options_(options),
        shared_{.io = io_,
                .application = std::move(application),
                .payload_limit_bytes = options.payload_limit_bytes,
                .bodies = ByteBudget(options.bodies_limit_bytes),
                .timeouts = options.timeouts,
                .on_closed = [this] { OnClosed(); }},
        acceptor_(io_),
        signals_(io_, SIGINT, SIGTERM),
        accept_timer_(io_),
        shutdown_timer_(io_) {}

  // Connections that are left end with the context, after the timers.
  ~AsioServer() override { shared_.on_closed = nullptr; }
  AsioServer(const AsioServer&) = delete;
  AsioServer& operator=(const AsioServer&) = delete;

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
    if (!error) acceptor_.non_blocking(true, error);
    if (error) {
      return Error{ErrorCode::kAddressInUse,
                   "cannot listen on " + address + ": " + error.message() +
                       "; stop what uses it or choose another --port or --host",
                   ""};
    }
    url_ = UrlOf(acceptor_.local_endpoint());
    return {};
  }

  std::string url() const override { return url_; }

  Status Run() override {
    signals_.async_wait([this](const error_code& error, int /*signal*/) {
      if (!error) Drain();
    });
    AwaitConnection();
    // While the server serves, the acceptor keeps the loop alive; while it drains, the timer.
    for (bool done = false; !done;) {
      try {
        io_.run();
        done = true;
      } catch (const std::exception& e) {
        // Memory ran out within Asio. The operation that it happened in is lost, and its connection
        // closed with it; the loop goes on.
        spdlog::error("a connection is lost: {}", e.what());
      }
    }
    if (shared_.connections.empty()) return {};
    return Error{ErrorCode::kTimeout,
                 std::to_string(shared_.connections.size()) +
                     " connections were cut when the shutdown timeout of " +
                     std::to_string(options_.shutdown_timeout.count()) + " s had passed",
                 ""};
  }

  void Stop() override {
    asio::post(io_, [this] { Drain(); });
  }

 private:
  // Waits for somebody to connect, in memory of its own: whatever fails, this does not.
  void AwaitConnection() {
    acceptor_.async_wait(tcp::acceptor::wait_read,
                         InSlot(accept_slot_, [this](const error_code& error) {
                           if (error || !acceptor_.is_open()) return;
                           Accept();
                         }));
  }

  void Accept() noexcept {
    try {
      error_code error;
      tcp::socket socket = acceptor_.accept(error);
      if (!error) {
        Admit(std::move(socket));
      } else if (error != asio::error::would_block && error != asio::error::connection_aborted) {
        WarnOfAccept(error.message());
        accept_timer_.expires_after(kAcceptRetry);
        return accept_timer_.async_wait([this](const error_code& cancelled) {
          if (!cancelled) AwaitConnection();
        });
      }
    } catch (const std::exception& e) {
      WarnOfAccept(e.what());
    }
    AwaitConnection();
  }

  void WarnOfAccept(const std::string& reason) {
    const auto now = std::chrono::steady_clock::now();
    ++failed_accepts_;
    if (now < next_warning_) return;
    next_warning_ = now + kAcceptWarning;
    spdlog::warn("cannot accept a connection: {} ({} times so far)", reason, failed_accepts_);
  }

  void Admit(tcp::socket socket) {
    error_code ignored;
    socket.set_option(tcp::no_delay(true), ignored);
    const auto connection = std::make_shared<Connection>(std::move(socket), shared_);
    if (shared_.connections.size() < options_.max_connections) return connection->Serve();
    // Those beyond the limit are told so.
    refusals_.remove_if([](const auto& refused) { return refused.expired(); });
    if (refusals_.size() >= kMaxRefusals) return;
    refusals_.push_back(connection);
    connection->Refuse({ErrorCode::kUnavailable,
                        "the server has its " + std::to_string(options_.max_connections) +
                            " connections already, try again",
                        ""});
  }

  void OnClosed() {
    if (shared_.draining && shared_.connections.empty()) shutdown_timer_.cancel();
  }

  void Drain() {
    if (shared_.draining) return;
    shared_.draining = true;
    error_code ignored;
    acceptor_.close(ignored);
    signals_.cancel(ignored);
    signals_.clear(ignored);  // a second signal does what it does by default: ends the process
    accept_timer_.cancel();
    for (Connection* connection : shared_.connections) connection->CloseIfIdle();
    if (shared_.connections.empty()) return;
    spdlog::info("shutting down: {} connections open", shared_.connections.size());
    shutdown_timer_.expires_after(options_.shutdown_timeout);
    shutdown_timer_.async_wait(InSlot(shutdown_slot_, [this](const error_code& error) {
      if (!error) io_.stop();
    }));
  }

  ServerOptions options_;
  std::string url_;
  Shared shared_;
  std::list<std::weak_ptr<Connection>> refusals_;
  HandlerSlot accept_slot_;
  HandlerSlot shutdown_slot_;
  size_t failed_accepts_ = 0;
  std::chrono::steady_clock::time_point next_warning_ = {};
  // After what the connections use: destroying the context ends those that are left.
  asio::io_context io_{1};
  tcp::acceptor acceptor_;
  asio::signal_set signals_;
  asio::steady_timer accept_timer_;
  asio::steady_timer shutdown_timer_;
};

}  // namespace

Result<std::unique_ptr<Server>> Server::Listen(const ServerOptions& options,
                                               Application application) {
  // Before anything is opened: what opens itself in a constructor cannot be refused well.
  ServerOptions affordable = options;
  ASSIGN_OR_RETURN(affordable.max_connections,
                   AffordConnections(options.max_connections, kMaxRefusals + kOtherFiles));
  auto server = std::make_unique<AsioServer>(affordable, std::move(application));
  RETURN_IF_ERROR(server->Open());
  return std::unique_ptr<Server>(std::move(server));
}

}  // namespace embedding::serve
