#include "http/server.h"

#include <spdlog/spdlog.h>

#include <csignal>
#include <list>
#include <memory>
#include <string>
#include <utility>

#include "http/asio.h"
#include "http/connection.h"
#include "http/file_limit.h"
#include "http/handler_slot.h"
#include "http/handover_offer.h"
#include "http/listeners.h"
#include "http/repeated_signals.h"

namespace embedding::http {
namespace {

// Connections over the limit that are being told so. Beyond these they are closed without a word:
// a flood must not be able to hold many more descriptors than the limit says.
constexpr size_t kMaxRefusals = 64;

// The model's weight files, log, timers and sockets of the process itself, generously.
constexpr size_t kOtherFiles = 128;

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
        listeners_(io_, options.inherited, [this](Socket socket) { Admit(std::move(socket)); }),
        signals_(io_, SIGINT, SIGTERM),
        hangups_(io_),
        shutdown_timer_(io_),
        offer_(
            io_, [this] { return listeners_.sockets(); }, [this] { Leave(); }),
        farewell_timer_(io_) {}

  // Connections that are left end with the context, after the timers.
  ~AsioServer() override { shared_.on_closed = nullptr; }
  AsioServer(const AsioServer&) = delete;
  AsioServer& operator=(const AsioServer&) = delete;

  Status Open() {
    const bool over_tls = !options_.tls.empty();
    if (over_tls) {
      ASSIGN_OR_RETURN(tls_, LoadTls(options_.tls));
    }
    if (options_.unix_socket.empty()) {
      RETURN_IF_ERROR(listeners_.OpenPort(options_.host, options_.port));
      url_ = (over_tls ? "https://" : "http://") + listeners_.address();
    } else {
      RETURN_IF_ERROR(
          listeners_.OpenSocketFile(options_.unix_socket, !options_.handover_path.empty()));
      url_ = "unix:" + options_.unix_socket;
    }
    listeners_.CloseTheRest();
    is_local_ = listeners_.is_local();
    is_successor_ = listeners_.is_successor();
    if (options_.on_hangup) hangups_.add(SIGHUP);
    return {};
  }

  std::string url() const override { return url_; }

  bool is_local() const override { return is_local_; }

  bool is_successor() const override { return is_successor_; }

  bool uses_tls() const override { return !options_.tls.empty(); }

  void Ready() override {
    asio::post(io_, [this] {
      if (shared_.draining) return;
      if (is_successor_) AcceptConnections();
      Offer();
    });
  }

  Status UseTls(const TlsFiles& files) override {
    ASSIGN_OR_RETURN(std::shared_ptr<asio::ssl::context> fresh, LoadTls(files));
    asio::post(io_, [this, fresh = std::move(fresh)]() mutable { tls_ = std::move(fresh); });
    return {};
  }

  Status Run() override {
    signals_.async_wait([this](const error_code& error, int /*signal*/) {
      if (!error) Drain();
    });
    if (options_.on_hangup) AwaitHangup();
    if (!is_successor_) AcceptConnections();
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
  void AwaitHangup() {
    hangups_.async_wait([this](const error_code& error, int /*signal*/) {
      if (error) return;
      options_.on_hangup();
      AwaitHangup();
    });
  }

  void Admit(Socket socket) {
    error_code ignored;  // a UNIX socket has no such option
    socket.set_option(tcp::no_delay(true), ignored);
    const auto connection = MakeConnection(std::move(socket), tls_.get(), shared_);
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

  void AcceptConnections() {
    accepts_ = true;
    listeners_.Start();
  }

  void Offer() {
    if (options_.handover_path.empty()) return;
    if (const Status offered = offer_.Open(options_.handover_path); !offered.ok()) {
      spdlog::warn("no other process can take over: {}", offered.error().message);
    }
  }

  // A successor answers on the same sockets.
  void Leave() {
    if (shared_.draining || shared_.leaving) return;
    shared_.leaving = true;
    listeners_.Leave();
    offer_.Close();
    spdlog::info("another process has taken over: {} connections open", shared_.connections.size());
    farewell_timer_.expires_after(shared_.connections.empty() ? std::chrono::seconds(0)
                                                              : kFarewell);
    farewell_timer_.async_wait(
        InSlot(farewell_slot_, [this](const error_code& /*cancelled*/) { Drain(); }));
  }

  void Drain() {
    if (shared_.draining) return;
    shared_.draining = true;
    error_code ignored;
    signals_.cancel(ignored);
    signals_.clear(ignored);
    TakeRepeatedSignals();
    // Who waits for a successor that never accepted is still the server's before it.
    accepts_ ? listeners_.Stop() : listeners_.Leave();
    offer_.Close();
    farewell_timer_.cancel();
    hangups_.cancel(ignored);
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
  bool accepts_ = false;
  Shared shared_;
  std::list<std::weak_ptr<Connection>> refusals_;
  HandlerSlot shutdown_slot_;
  HandlerSlot farewell_slot_;
  std::shared_ptr<asio::ssl::context> tls_;  // of connections to come; nullptr without TLS
  // After what the connections and the listeners use: destroying the context ends those that are
  // left.
  asio::io_context io_{1};
  Listeners listeners_;
  asio::signal_set signals_;
  asio::signal_set hangups_;
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
