// Listener: one address that a server listens on.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "base/result.h"
#include "http/asio.h"
#include "http/handler_slot.h"

namespace embedding::http {

struct Listener {
  // The slot is for the operation that waits for a connection; it must outlive the context.
  Listener(asio::io_context& io, HandlerSlot& for_waiting)
      : acceptor(io), retry_timer(io), slot(for_waiting) {}

  // Binds and listens. `beside_others`: on an address of IPv6 not for those of IPv4 too.
  void Open(const Endpoint& endpoint, bool beside_others, error_code& error);

  // Takes the one of `sockets` that listens on the endpoint, on any port if the endpoint's is 0,
  // and out of the list. Whether there is one.
  bool Inherit(const Endpoint& endpoint, std::vector<int>& sockets);

  Acceptor acceptor;
  bool inherited = false;
  asio::steady_timer retry_timer;
  HandlerSlot& slot;
};

// All addresses that a host's name stands for, each once. "localhost" is both loopbacks, whatever
// the system's files say of it: of two clients on one machine one connects to 127.0.0.1 and another
// to ::1. Errors: kAddressInUse for a name that nobody knows.
Result<std::vector<tcp::endpoint>> EndpointsOf(asio::io_context& io, const std::string& host,
                                               uint16_t port);

// Whether the error of Open means that this machine has no addresses of the endpoint's kind:
// containers often have no IPv6.
bool HasNoSuchFamily(const tcp::endpoint& endpoint, const error_code& error);

bool IsTcp(const Endpoint& endpoint);

// The address and port of a socket of TCP.
tcp::endpoint TcpEndpointOf(const Endpoint& endpoint);

// "127.0.0.1:8001", "[::1]:8001"
std::string TextOf(const tcp::endpoint& endpoint);

}  // namespace embedding::http
