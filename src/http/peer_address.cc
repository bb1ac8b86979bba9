#include "http/peer_address.h"

#include <cstring>

namespace embedding::http {

std::string PeerAddress(const asio::generic::stream_protocol::endpoint& endpoint) {
  const int family = endpoint.protocol().family();
  if (family != AF_INET && family != AF_INET6) return {};
  tcp::endpoint of_ip;
  of_ip.resize(endpoint.size());
  std::memcpy(of_ip.data(), endpoint.data(), endpoint.size());
  asio::ip::address address = of_ip.address();
  if (address.is_v6()) {
    asio::ip::address_v6 v6 = address.to_v6();
    v6.scope_id(0);
    if (v6.is_v4_mapped()) return asio::ip::make_address_v4(asio::ip::v4_mapped, v6).to_string();
    address = v6;
  }
  return address.to_string();
}

}  // namespace embedding::http
