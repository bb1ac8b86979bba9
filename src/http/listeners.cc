#include "http/listeners.h"

#include <spdlog/spdlog.h>
#include <unistd.h>

#include <algorithm>
#include <exception>
#include <utility>

#include "http/port_holder.h"

namespace embedding::http {
namespace {

// How long to wait when the system has no descriptor left for a new connection, and how seldom to
// say so.
constexpr std::chrono::milliseconds kAcceptRetry{100};
constexpr std::chrono::seconds kAcceptWarning{10};

// How often a free port is looked for that is free on every address.
constexpr int kFreePortAttempts = 20;

Error CannotListen(const tcp::endpoint& endpoint, const error_code& error) {
  const std::string holder =
      error == asio::error::address_in_use ? PortHolder(endpoint.port()) : std::string();
  return {ErrorCode::kAddressInUse,
          "cannot listen on " + TextOf(endpoint) + ": " + error.message() +
              (holder.empty() ? "; stop what uses it" : " by " + holder + "; stop that") +
              " or choose another --port or --host",
          ""};
}

}  // namespace

Listener& Listeners::Add() {
  return *listeners_.emplace_back(std::make_unique<Listener>(io_, accept_slots_.emplace_back()));
}

Status Listeners::OpenPort(const std::string& host, uint16_t port) {
  ASSIGN_OR_RETURN(const std::vector<tcp::endpoint> endpoints, EndpointsOf(io_, host, port));
  for (int attempt = 1;; ++attempt) {
    tcp::endpoint refused;
    const error_code error = OpenAll(endpoints, port, refused);
    if (!error) return {};
    // With port 0 the first address's port was free there; on another it may be taken.
    const bool try_another =
        port == 0 && error == asio::error::address_in_use && attempt < kFreePortAttempts;
    if (!try_another) return CannotListen(refused, error);
  }
}

// Opens all of them on one port, but for those of a family that is not here, or none. *refused is
// the one that the error is about.
error_code Listeners::OpenAll(const std::vector<tcp::endpoint>& endpoints, uint16_t port,
                              tcp::endpoint& refused) {
  listeners_.clear();
  accept_slots_.clear();
  error_code missing;
  for (tcp::endpoint endpoint : endpoints) {
    endpoint.port(port);
    Listener& listener = Add();
    error_code error;
    if (!listener.Inherit(endpoint, inherited_))
      listener.Open(endpoint, endpoints.size() > 1, error);
    if (error) {
      const bool no_such_family = HasNoSuchFamily(endpoint, error) && endpoints.size() > 1;
      listeners_.pop_back();
      if (listeners_.empty() || !no_such_family) refused = endpoint;
      if (!no_such_family) return error;
      missing = error;
      if (!endpoint.address().is_loopback()) {
        spdlog::warn("not listening on {}: {}", TextOf(endpoint), error.message());
      }
      continue;
    }
    port = TcpEndpointOf(listener.acceptor.local_endpoint()).port();
  }
  return listeners_.empty() ? missing : error_code();
}

Status Listeners::OpenSocketFile(const std::string& path, bool of_predecessor) {
  ASSIGN_OR_RETURN(const Endpoint endpoint, UnixAddress(path));
  Listener& listener = Add();
  if (listener.Inherit(endpoint, inherited_)) {
    if (of_predecessor) socket_file_ = std::make_unique<UnixSocketFile>(path);
    return {};
  }
  RETURN_IF_ERROR(ClearUnixSocket(path));
  error_code error;
  listener.Open(endpoint, false, error);
  if (error) {
    return Error{ErrorCode::kAddressInUse,
                 "cannot listen on " + path + ": " + error.message() + "; check --unix-socket", ""};
  }
  socket_file_ = std::make_unique<UnixSocketFile>(path);
  return ShareWithGroup(path);
}

std::string Listeners::address() const {
  const Endpoint first = listeners_.front()->acceptor.local_endpoint();
  return IsTcp(first) ? TextOf(TcpEndpointOf(first)) : std::string();
}

bool Listeners::is_local() const {
  return std::all_of(listeners_.begin(), listeners_.end(), [](const auto& listener) {
    const Endpoint endpoint = listener->acceptor.local_endpoint();
    return !IsTcp(endpoint) || TcpEndpointOf(endpoint).address().is_loopback();
  });
}

void Listeners::Start() {
  for (const auto& listener : listeners_) AwaitConnection(*listener);
}

// Waits for somebody to connect, in memory of its own: whatever fails, this does not.
void Listeners::AwaitConnection(Listener& listener) {
  listener.acceptor.async_wait(Acceptor::wait_read,
                               InSlot(listener.slot, [this, &listener](const error_code& error) {
                                 if (error || !listener.acceptor.is_open()) return;
                                 Accept(listener);
                               }));
}

void Listeners::Accept(Listener& listener) noexcept {
  try {
    error_code error;
    Socket socket = listener.acceptor.accept(error);
    if (!error) {
      admit_(std::move(socket));
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

void Listeners::AcceptWaiting(Listener& listener) {
  error_code error;
  for (int i = 0; i < Acceptor::max_listen_connections; ++i) {
    Socket socket = listener.acceptor.accept(error);
    if (error) return;
    admit_(std::move(socket));
  }
}

void Listeners::Stop() {
  for (const auto& listener : listeners_) {
    if (!listener->acceptor.is_open()) continue;  // it is a successor's
    try {
      AcceptWaiting(*listener);
    } catch (const std::exception& e) {
      WarnOfAccept(e.what());
    }
  }
  Close();
}

void Listeners::Leave() {
  if (socket_file_ != nullptr) socket_file_->Keep();
  Close();
}

void Listeners::Close() {
  for (const auto& listener : listeners_) {
    error_code ignored;
    listener->acceptor.close(ignored);
    listener->retry_timer.cancel();
  }
  socket_file_.reset();
}

void Listeners::CloseTheRest() {
  for (const int socket : std::exchange(inherited_, {})) ::close(socket);
}

bool Listeners::is_successor() const {
  return std::any_of(listeners_.begin(), listeners_.end(),
                     [](const auto& listener) { return listener->inherited; });
}

std::vector<int> Listeners::sockets() {
  std::vector<int> sockets;
  for (const auto& listener : listeners_) sockets.push_back(listener->acceptor.native_handle());
  return sockets;
}

void Listeners::WarnOfAccept(const std::string& reason) {
  const auto now = std::chrono::steady_clock::now();
  ++failed_accepts_;
  if (now < next_warning_) return;
  next_warning_ = now + kAcceptWarning;
  spdlog::warn("cannot accept a connection: {} ({} times so far)", reason, failed_accepts_);
}

}  // namespace embedding::http
