#include "http/listener.h"

#include <sys/socket.h>
#include <sys/un.h>

#include <algorithm>
#include <cstring>
#include <utility>

namespace embedding::http {
namespace {

// The path of a UNIX socket, with or without a zero behind it.
std::string PathOf(const Endpoint& endpoint) {
  sockaddr_un address = {};
  std::memcpy(&address, endpoint.data(), std::min(endpoint.size(), sizeof(address)));
  return {address.sun_path, ::strnlen(address.sun_path, sizeof(address.sun_path))};
}

// Whether a socket at `own` is one for `wanted`.
bool IsAt(const Endpoint& own, const Endpoint& wanted) {
  if (own.protocol().family() != wanted.protocol().family()) return false;
  if (!IsTcp(wanted)) return PathOf(own) == PathOf(wanted);
  tcp::endpoint address = TcpEndpointOf(own);
  if (TcpEndpointOf(wanted).port() == 0) address.port(0);
  return address == TcpEndpointOf(wanted);
}

}  // namespace

void Listener::Open(const Endpoint& endpoint, bool beside_others, error_code& error) {
  const Protocol protocol = endpoint.protocol();
  acceptor.open(protocol, error);
  if (!error) acceptor.set_option(Acceptor::reuse_address(true), error);
  // Else [::] would take the port of 0.0.0.0 too.
  if (!error && beside_others && protocol.family() == tcp::v6().family())
    acceptor.set_option(asio::ip::v6_only(true), error);
  if (!error) acceptor.bind(endpoint, error);
  if (!error) acceptor.listen(Acceptor::max_listen_connections, error);
  if (!error) acceptor.non_blocking(true, error);
}

bool Listener::Inherit(const Endpoint& endpoint, std::vector<int>& sockets) {
  for (auto socket = sockets.begin(); socket != sockets.end(); ++socket) {
    error_code error;
    Acceptor candidate(acceptor.get_executor());
    // The descriptor is only lent to it until it is known to be the one.
    candidate.assign(endpoint.protocol(), *socket, error);
    if (error || !IsAt(candidate.local_endpoint(error), endpoint)) {
      if (candidate.is_open()) candidate.release();
      continue;
    }
    candidate.non_blocking(true, error);
    acceptor = std::move(candidate);
    sockets.erase(socket);
    return inherited = true;
  }
  return false;
}

Result<std::vector<tcp::endpoint>> EndpointsOf(asio::io_context& io, const std::string& host,
                                               uint16_t port) {
  if (host == "localhost") {
    return std::vector<tcp::endpoint>{{asio::ip::address_v4::loopback(), port},
                                      {asio::ip::address_v6::loopback(), port}};
  }
  error_code error;
  const auto found = tcp::resolver(io).resolve(host, std::to_string(port), error);
  if (error) {
    return Error{ErrorCode::kAddressInUse,
                 "cannot listen on " + host + ':' + std::to_string(port) + ": " + error.message() +
                     "; check --host",
                 ""};
  }
  std::vector<tcp::endpoint> endpoints;
  for (const auto& entry : found) {
    const tcp::endpoint endpoint = entry.endpoint();
    if (std::find(endpoints.begin(), endpoints.end(), endpoint) == endpoints.end())
      endpoints.push_back(endpoint);
  }
  return endpoints;
}

bool HasNoSuchFamily(const tcp::endpoint& endpoint, const error_code& error) {
  return error == asio::error::address_family_not_supported ||
         (endpoint.address().is_v6() && error == boost::system::errc::address_not_available);
}

bool IsTcp(const Endpoint& endpoint) {
  const int family = endpoint.protocol().family();
  return family == tcp::v4().family() || family == tcp::v6().family();
}

tcp::endpoint TcpEndpointOf(const Endpoint& endpoint) {
  tcp::endpoint address;
  address.resize(endpoint.size());
  std::memcpy(address.data(), endpoint.data(), endpoint.size());
  return address;
}

std::string TextOf(const tcp::endpoint& endpoint) {
  const std::string host = endpoint.address().to_string();
  return (endpoint.address().is_v6() ? '[' + host + ']' : host) + ':' +
         std::to_string(endpoint.port());
}

}  // namespace embedding::http
