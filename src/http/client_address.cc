#include "http/client_address.h"

#include <algorithm>
#include <charconv>
#include <utility>

#include "base/ascii.h"
#include "http/asio.h"

#include <boost/asio/ip/address.hpp>

namespace embedding::http {
namespace {

constexpr size_t kV4Bits = 96;  // what stands before an address of IPv4

std::string_view Trimmed(std::string_view text) {
  const size_t begin = text.find_first_not_of(" \t");
  if (begin == std::string_view::npos) return {};
  return text.substr(begin, text.find_last_not_of(" \t") - begin + 1);
}

// An address that may have a port: "192.0.2.1:80", "[2001:db8::1]:80", "2001:db8::1".
std::optional<Address> ParseNode(std::string_view node) {
  if (node.starts_with('[')) {
    const size_t end = node.find(']');
    if (end == std::string_view::npos) return std::nullopt;
    return Address::Parse(node.substr(1, end - 1));
  }
  const size_t colon = node.find(':');
  if (colon != std::string_view::npos && node.find(':', colon + 1) == std::string_view::npos) {
    node = node.substr(0, colon);
  }
  return Address::Parse(node);
}

// The node of an element of X-Forwarded-For.
std::string_view WholeNode(std::string_view element) { return element; }

// The node of `for=192.0.2.60;proto=http;by=203.0.113.43`, or "".
std::string_view ForNode(std::string_view element) {
  while (!element.empty()) {
    const size_t end = std::min(element.find(';'), element.size());
    const std::string_view pair = Trimmed(element.substr(0, end));
    element.remove_prefix(std::min(end + 1, element.size()));
    const size_t equals = pair.find('=');
    if (equals == std::string_view::npos) continue;
    if (!EqualsIgnoringCase(pair.substr(0, equals), "for")) continue;
    std::string_view node = pair.substr(equals + 1);
    if (node.size() >= 2 && node.starts_with('"') && node.ends_with('"')) {
      node = node.substr(1, node.size() - 2);
    }
    return node;
  }
  return {};
}

// The last of a header's addresses that is no trusted proxy's, or the first if all are; nothing if
// what stands there is no address.
std::optional<Address> LastUntrusted(std::string_view header,
                                     std::string_view (*node_of)(std::string_view),
                                     const TrustedProxies& proxies) {
  std::optional<Address> found;
  for (bool more = true; more;) {
    const size_t comma = header.rfind(',');
    more = comma != std::string_view::npos;
    const std::string_view element = Trimmed(more ? header.substr(comma + 1) : header);
    if (more) header = header.substr(0, comma);
    found = ParseNode(node_of(element));
    if (!found || !proxies.Trust(found)) return found;
  }
  return found;
}

}  // namespace

std::optional<Address> Address::Parse(std::string_view text) {
  constexpr size_t kLongest = 45;
  if (text.empty() || text.size() > kLongest || text.find('%') != std::string_view::npos) {
    return std::nullopt;
  }
  error_code error;
  const asio::ip::address parsed = asio::ip::make_address(std::string(text), error);
  if (error) return std::nullopt;
  Address address;
  if (parsed.is_v6()) {
    const auto bytes = parsed.to_v6().to_bytes();
    std::copy(bytes.begin(), bytes.end(), address.bytes_.begin());
  } else {
    address.bytes_[10] = address.bytes_[11] = 0xFF;
    const auto bytes = parsed.to_v4().to_bytes();
    std::copy(bytes.begin(), bytes.end(), address.bytes_.begin() + kV4Bits / 8);
  }
  return address;
}

bool Address::is_v4() const {
  return std::all_of(bytes_.begin(), bytes_.begin() + 10, [](uint8_t b) { return b == 0; }) &&
         bytes_[10] == 0xFF && bytes_[11] == 0xFF;
}

std::string Address::Text() const {
  if (is_v4()) {
    asio::ip::address_v4::bytes_type bytes;
    std::copy(bytes_.begin() + kV4Bits / 8, bytes_.end(), bytes.begin());
    return asio::ip::address_v4(bytes).to_string();
  }
  asio::ip::address_v6::bytes_type bytes;
  std::copy(bytes_.begin(), bytes_.end(), bytes.begin());
  return asio::ip::address_v6(bytes).to_string();
}

std::string Address::Network() const {
  if (is_v4()) return Text();
  Address network = *this;
  std::fill(network.bytes_.begin() + 8, network.bytes_.end(), 0);
  return network.Text() + "/64";
}

bool Address::Begins(const Address& other, size_t bits) const {
  const size_t bytes = bits / 8;
  if (!std::equal(bytes_.begin(), bytes_.begin() + static_cast<ptrdiff_t>(bytes),
                  other.bytes_.begin())) {
    return false;
  }
  const size_t rest = bits % 8;
  return rest == 0 || (bytes_[bytes] ^ other.bytes_[bytes]) >> (8 - rest) == 0;
}

bool TrustedProxies::Add(std::string_view text) {
  if (text == "unix") return unix_socket_ = true;
  const size_t slash = text.find('/');
  const std::optional<Address> address = Address::Parse(text.substr(0, slash));
  if (!address) return false;
  const bool is_v4 = address->is_v4() && text.find(':') == std::string_view::npos;
  size_t bits = is_v4 ? 128 - kV4Bits : 128;
  if (slash != std::string_view::npos) {
    const std::string_view digits = text.substr(slash + 1);
    const char* end = digits.data() + digits.size();
    const size_t most = bits;
    const auto [stop, problem] = std::from_chars(digits.data(), end, bits);
    if (problem != std::errc() || stop != end || bits > most) return false;
  }
  ranges_.push_back({*address, is_v4 ? bits + kV4Bits : bits});
  return true;
}

bool TrustedProxies::Trust(const std::optional<Address>& address) const {
  if (!address) return unix_socket_;
  return std::any_of(ranges_.begin(), ranges_.end(), [&](const Range& range) {
    return address->Begins(range.address, range.bits);
  });
}

std::string ClientAddress(std::string_view peer, std::string_view forwarded_for,
                          std::string_view forwarded, const TrustedProxies& proxies) {
  std::string itself(peer);
  if (forwarded_for.empty() && forwarded.empty()) return itself;
  const std::optional<Address> proxy = Address::Parse(peer);
  if ((!proxy && !peer.empty()) || !proxies.Trust(proxy)) return itself;
  std::optional<std::string> told;
  const auto hear = [&](std::string_view header, std::string_view (*node_of)(std::string_view)) {
    if (header.empty()) return;
    const std::optional<Address> address = LastUntrusted(header, node_of, proxies);
    std::string said = address ? address->Text() : itself;
    told = !told || *told == said ? std::move(said) : itself;
  };
  hear(forwarded_for, WholeNode);
  hear(forwarded, ForNode);
  return told.value_or(itself);
}

Middleware FindClientAddress(TrustedProxies proxies) {
  if (proxies.empty()) return [](Handler next) { return next; };
  return [proxies = std::move(proxies)](Handler next) -> Handler {
    return [proxies, next = std::move(next)](Request request, Responder responder) {
      request.client.address =
          ClientAddress(request.client.address, request.forwarded_for, request.forwarded, proxies);
      next(std::move(request), std::move(responder));
    };
  };
}

}  // namespace embedding::http
