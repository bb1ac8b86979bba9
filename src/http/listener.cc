#include "http/listener.h"

#include <algorithm>

namespace embedding::http {

void Listener::Open(const tcp::endpoint& endpoint, bool beside_others, error_code& error) {
  acceptor.open(endpoint.protocol(), error);
  if (!error) acceptor.set_option(tcp::acceptor::reuse_address(true), error);
  // Else [::] would take the port of 0.0.0.0 too.
  if (!error && beside_others && endpoint.address().is_v6())
    acceptor.set_option(asio::ip::v6_only(true), error);
  if (!error) acceptor.bind(endpoint, error);
  if (!error) acceptor.listen(tcp::acceptor::max_listen_connections, error);
  if (!error) acceptor.non_blocking(true, error);
}

bool Listener::Inherit(const tcp::endpoint& endpoint, std::vector<int>& sockets) {
  for (auto socket = sockets.begin(); socket != sockets.end(); ++socket) {
    error_code error;
    tcp::acceptor candidate(acceptor.get_executor());
    // The descriptor is only lent to it until it is known to be the one.
    candidate.assign(endpoint.protocol(), *socket, error);
    tcp::endpoint own = error ? tcp::endpoint() : candidate.local_endpoint(error);
    if (endpoint.port() == 0) own.port(0);
    if (error || own != endpoint) {
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

std::string TextOf(const tcp::endpoint& endpoint) {
  const std::string host = endpoint.address().to_string();
  return (endpoint.address().is_v6() ? '[' + host + ']' : host) + ':' +
         std::to_string(endpoint.port());
}

}  // namespace embedding::http
