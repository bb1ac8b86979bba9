// The address of who is at the other end of a socket.
#pragma once

#include <string>

#include "http/asio.h"

#include <boost/asio/generic/stream_protocol.hpp>

namespace embedding::http {

// An IP address as text, one of IPv4 as such on a socket of both kinds too; "" over a UNIX socket,
// "unknown" where the other end has gone already.
std::string PeerAddress(const asio::generic::stream_protocol::endpoint& endpoint);

template <typename Socket>
std::string PeerAddress(const Socket& socket) {
  error_code error;
  const auto endpoint = socket.remote_endpoint(error);
  return error ? std::string("unknown")
               : PeerAddress(asio::generic::stream_protocol::endpoint(endpoint));
}

}  // namespace embedding::http
