#include "http/server.h"

#include <spdlog/spdlog.h>
#include <unistd.h>

#include <algorithm>
#include <csignal>
#include <list>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "http/asio.h"
#include "http/connection.h"
#include "http/file_limit.h"
#include "http/handler_slot.h"
#include "http/handover_offer.h"
#include "http/listener.h"

namespace embedding::http {
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

// How often a free port is looked for that is free on every address.
constexpr int kFreePortAttempts = 20;

// How long idle connections of a server that has a successor may send one more request.
constexpr std::chrono::seconds kFarewell{5};

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
        signals_(io_, SIGINT, SIGTERM),
        shutdown_timer_(io_),
        offer_(
            io_, [this] { return ListeningSockets(); }, [this] { Leave(); }),
        farewell_timer_(io_) {}

  // Connections that are left end with the context, after the timers.
  ~AsioServer() override { shared_.on_closed = nullptr; }
  AsioServer(const AsioServer&) = delete;
  AsioServer& operator=(const AsioServer&) = delete;

  Status Open() {
    ASSIGN_OR_RETURN(const std::vector<tcp::endpoint> endpoints,
                     EndpointsOf(io_, options_.host, options_.port));
    for (int attempt = 1;; ++attempt) {
      tcp::endpoint refused;
      const error_code error = OpenAll(endpoints, refused);
      if (!error) break;
      // With port 0 the first address's port was free there; on another it may be taken.
      const bool try_another =
          options_.port == 0 && error == asio::error::address_in_use && attempt < kFreePortAttempts;
      if (try_another) continue;
      return Error{ErrorCode::kAddressInUse,
                   "cannot listen on " + TextOf(refused) + ": " + error.message() +
                       "; stop what uses it or choose another --port or --host",
                   ""};
    }
    url_ = "http://" + TextOf(listeners_.front()->acceptor.local_endpoint());
    is_local_ = std::all_of(listeners_.begin(), listeners_.end(), [](const auto& listener) {
      return listener->acceptor.local_endpoint().address().is_loopback();
    });
    is_successor_ = std::any_of(listeners_.begin(), listeners_.end(),
                                [](const auto& listener) { return listener->inherited; });
    for (const int socket : std::exchange(options_.inherited, {})) ::close(socket);
    // A successor offers only once it serves (Run).
    return is_successor_ ? Status() : Offer();
  }

  std::string url() const override { return url_; }

  bool is_local() const override { return is_local_; }

  bool is_successor() const override { return is_successor_; }

  Status Run() override {
    if (is_successor_) RETURN_IF_ERROR(Offer());
    signals_.async_wait([this](const error_code& error, int /*signal*/) {
      if (!error) Drain();
    });
    for (const auto& listener : listeners_) AwaitConnection(*listener);
    // While the server serves, the acceptors keep the loop alive; while it drains, the timer.
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
  // Opens all of them on one port, but for those of a family that is not here, or none. *refused is
  // the one that the error is about.
  error_code OpenAll(const std::vector<tcp::endpoint>& endpoints, tcp::endpoint& refused) {
    listeners_.clear();
    accept_slots_.clear();
    uint16_t port = options_.port;
    error_code missing;
    for (tcp::endpoint endpoint : endpoints) {
      endpoint.port(port);
      auto listener = std::make_unique<Listener>(io_, accept_slots_.emplace_back());
      error_code error;
      if (!listener->Inherit(endpoint, options_.inherited))
        listener->Open(endpoint, endpoints.size() > 1, error);
      if (error && HasNoSuchFamily(endpoint, error) && endpoints.size() > 1) {
        missing = error;
        if (!endpoint.address().is_loopback()) {
          spdlog::warn("not listening on {}: {}", TextOf(endpoint), error.message());
        }
        if (listeners_.empty()) refused = endpoint;
        continue;
      }
      if (error) {
        refused = endpoint;
        return error;
      }
      port = listener->acceptor.local_endpoint().port();
      listeners_.push_back(std::move(listener));
    }
    return listeners_.empty() ? missing : error_code();
  }

  // Waits for somebody to connect, in memory of its own: whatever fails, this does not.
  void AwaitConnection(Listener& listener) {
    listener.acceptor.async_wait(tcp::acceptor::wait_read,
                                 InSlot(listener.slot, [this, &listener](const error_code& error) {
                                   if (error || !listener.acceptor.is_open()) return;
                                   Accept(listener);
                                 }));
  }

  void Accept(Listener& listener) noexcept {
    try {
      error_code error;
      tcp::socket socket = listener.acceptor.accept(error);
      if (!error) {
        Admit(std::move(socket));
      } else if (error != asio::error::would_block && error != asio::error::connection_aborted) {
        WarnOfAccept(error.message());
        listener.retry_timer.expires_after(kAcceptRetry);
        return listener.retry_timer.async_wait([this, &listener](const error_code& cancelled) {
          if (!cancelled) AwaitConnection(listener);
        });
      }
    } catch (const std::exception& e) {
      WarnOfAccept(e.what());
    }
    AwaitConnection(listener);
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
    const auto connection = MakeConnection(std::move(socket), shared_);
    if (shared_.connections.size() < options_.max_connections) return connection->Serve();
    // Those beyond the limit are told so.
    refusals_.remove_if([](const auto& refused) { return refused.expired(); });
    if (refusals_.size() >= kMaxRefusals) return;
    refusals_.push_back(connection);
    connection->Refuse({StatusCode::kServiceUnavailable,
                        "the server has its " + std::to_string(options_.max_connections) +
                            " connections already, try again"});
  }

  void OnClosed() {
    if (!shared_.connections.empty()) return;
    if (shared_.draining) shutdown_timer_.cancel();
    if (shared_.leaving) farewell_timer_.cancel();
  }

  Status Offer() {
    if (options_.handover_path.empty()) return {};
    return offer_.Open(options_.handover_path);
  }

  std::vector<int> ListeningSockets() {
    std::vector<int> sockets;
    for (const auto& listener : listeners_) sockets.push_back(listener->acceptor.native_handle());
    return sockets;
  }

  // A successor answers on the same sockets.
  void Leave() {
    if (shared_.draining || shared_.leaving) return;
    shared_.leaving = true;
    CloseListeners();
    spdlog::info("another process has taken over: {} connections open", shared_.connections.size());
    farewell_timer_.expires_after(shared_.connections.empty() ? std::chrono::seconds(0)
                                                              : kFarewell);
    farewell_timer_.async_wait(
        InSlot(farewell_slot_, [this](const error_code& /*cancelled*/) { Drain(); }));
  }

  void CloseListeners() {
    error_code ignored;
    for (const auto& listener : listeners_) {
      listener->acceptor.close(ignored);
      listener->retry_timer.cancel();
    }
    offer_.Close();
  }

  // Clients that the system has connected already would be reset with their requests when the
  // acceptor closes: they are told instead.
  void AcceptWaiting(Listener& listener) {
    error_code error;
    for (int i = 0; i < tcp::acceptor::max_listen_connections; ++i) {
      tcp::socket socket = listener.acceptor.accept(error);
      if (error) return;
      Admit(std::move(socket));
    }
  }

  void Drain() {
    if (shared_.draining) return;
    shared_.draining = true;
    error_code ignored;
    for (const auto& listener : listeners_) {
      if (!listener->acceptor.is_open()) continue;  // it is a successor's
      try {
        AcceptWaiting(*listener);
      } catch (const std::exception& e) {
        WarnOfAccept(e.what());
      }
    }
    CloseListeners();
    farewell_timer_.cancel();
    signals_.cancel(ignored);
    signals_.clear(ignored);  // a second signal does what it does by default: ends the process
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
  bool is_local_ = false;
  bool is_successor_ = false;
  Shared shared_;
  std::list<std::weak_ptr<Connection>> refusals_;
  std::list<HandlerSlot> accept_slots_;  // one a listener
  HandlerSlot shutdown_slot_;
  HandlerSlot farewell_slot_;
  size_t failed_accepts_ = 0;
  std::chrono::steady_clock::time_point next_warning_ = {};
  // After what the connections and the listeners use: destroying the context ends those that are
  // left.
  asio::io_context io_{1};
  std::vector<std::unique_ptr<Listener>> listeners_;
  asio::signal_set signals_;
  asio::steady_timer shutdown_timer_;
  HandoverOffer offer_;
  asio::steady_timer farewell_timer_;
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

}  // namespace embedding::http
