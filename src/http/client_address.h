// Where a request comes from, when proxies stand between.
//
// What X-Forwarded-For and Forwarded (RFC 7239) say anybody can write: they are believed only from
// proxies that the operator trusts. Each proxy writes who it had the request from behind what was
// there, so the client is the last of them that is no trusted proxy.
//
// Thread-safety: values; the functions from any thread.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "http/handler.h"

namespace embedding::http {

// An IP address, of IPv4 as ::ffff:a.b.c.d.
class Address {
 public:
  // "192.0.2.1", "2001:db8::1"; without a port or a zone.
  static std::optional<Address> Parse(std::string_view text);

  std::string Text() const;     // IPv4 as such
  std::string Network() const;  // the same of IPv4; of IPv6 its /64: "2001:db8::/64"

  // Whether the first `bits` of the 128 are `other`'s.
  bool Begins(const Address& other, size_t bits) const;
  bool is_v4() const;

 private:
  std::array<uint8_t, 16> bytes_{};
};

// The proxies whose word is taken.
class TrustedProxies {
 public:
  // Adds an address, a range as "10.0.0.0/8" or "fd00::/8", or "unix": who comes over a UNIX
  // socket. false, with nothing added, if `text` is none of these.
  [[nodiscard]] bool Add(std::string_view text);

  bool empty() const { return ranges_.empty() && !unix_socket_; }
  // Of no address: whether those over a UNIX socket are trusted.
  bool Trust(const std::optional<Address>& address) const;

 private:
  struct Range {
    Address address;
    size_t bits;
  };
  std::vector<Range> ranges_;
  bool unix_socket_ = false;
};

// The client's address as text: `peer`'s, unless that is a trusted proxy's (or "", over a UNIX
// socket that is trusted) and one of the headers tells another. A header is ignored where something
// in it that would have to be believed is no address ("unknown", a name); and both are, where both
// are there and tell different things, for a proxy writes one and passes the other on.
std::string ClientAddress(std::string_view peer, std::string_view forwarded_for,
                          std::string_view forwarded, const TrustedProxies& proxies);

// Puts the client's address in the place of the peer's, which requests come with.
Middleware FindClientAddress(TrustedProxies proxies);

}  // namespace embedding::http
