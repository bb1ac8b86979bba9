#include "http/framing.h"

#include <algorithm>
#include <string>
#include <vector>

#include "base/ascii.h"

#include <boost/beast/http/rfc7230.hpp>

namespace embedding::http {
namespace {

namespace beast_http = boost::beast::http;

std::string_view View(boost::beast::string_view text) { return {text.data(), text.size()}; }

// uri-host [ ":" port ], RFC 3986, 3.2: a name, an IPv4 address, or an IPv6 address in brackets.
bool IsHost(std::string_view host) {
  const auto is_port = [](std::string_view port) {
    return std::all_of(port.begin(), port.end(), [](char c) { return c >= '0' && c <= '9'; });
  };
  std::string_view allowed = "-._~%!$&'()*+;=";
  std::string_view rest;  // after the name
  if (host.starts_with('[')) {
    const size_t end = host.find(']');
    if (end == std::string_view::npos) return false;
    rest = host.substr(end + 1);
    host = host.substr(1, end - 1);
    allowed = ":.%";
  } else {
    const size_t colon = std::min(host.find(':'), host.size());
    rest = host.substr(colon);
    host = host.substr(0, colon);
  }
  if (host.empty() || (!rest.empty() && (rest.front() != ':' || !is_port(rest.substr(1))))) {
    return false;
  }
  return std::all_of(host.begin(), host.end(), [&](char c) {
    return IsAlphanumeric(c) || allowed.find(c) != std::string_view::npos;
  });
}

// Where the path of an absolute-form begins, or npos: "http://host/path".
size_t EndOfAuthority(std::string_view target) {
  for (const std::string_view scheme : {"http://", "https://"}) {
    if (!EqualsIgnoringCase(target.substr(0, scheme.size()), scheme)) continue;
    const size_t end = std::min(target.find_first_of("/?", scheme.size()), target.size());
    return IsHost(target.substr(scheme.size(), end - scheme.size())) ? end : std::string_view::npos;
  }
  return std::string_view::npos;
}

// RFC 9112, 3.2.
std::optional<Refusal> CheckTarget(const RequestHeader& header) {
  const std::string_view target = View(header.target());
  if (header.method() == beast_http::verb::connect) {
    return Refusal{StatusCode::kNotImplemented, "this server is no proxy: it does not CONNECT"};
  }
  if (target.starts_with('/')) return std::nullopt;
  if (target == "*" && header.method() == beast_http::verb::options) return std::nullopt;
  if (EndOfAuthority(target) != std::string_view::npos) return std::nullopt;
  return Malformed("the target is neither a path nor a URL");
}

// RFC 9112, 3.2: exactly one from HTTP/1.1 on, at most one before.
std::optional<Refusal> CheckHost(const RequestHeader& header) {
  const size_t count = header.count(beast_http::field::host);
  if (count > 1) return Malformed("it has more than one Host");
  if (count == 0) {
    if (header.version() < 11) return std::nullopt;
    return Malformed("it has no Host");
  }
  if (!IsHost(View(header[beast_http::field::host]))) return Malformed("its Host is no host");
  return std::nullopt;
}

// RFC 9112, 6.1 and 6.3. A Content-Length beside it the parser refuses.
std::optional<Refusal> CheckTransferEncoding(const RequestHeader& header) {
  const auto [first, last] = header.equal_range(beast_http::field::transfer_encoding);
  if (first == last) return std::nullopt;
  if (header.version() < 11) return Malformed("HTTP/1.0 has no Transfer-Encoding");
  std::string joined;
  for (auto field = first; field != last; ++field) {
    if (field != first) joined += ',';
    joined += View(field->value());
  }
  if (EqualsIgnoringCase(joined, "chunked")) return std::nullopt;
  const beast_http::opt_token_list list(joined);
  std::vector<std::string> codings;
  for (const auto& coding : list) codings.emplace_back(View(coding));
  const auto is_chunked = [](std::string_view c) { return EqualsIgnoringCase(c, "chunked"); };
  if (!beast_http::validate_list(list) || codings.empty() || !is_chunked(codings.back()) ||
      std::count_if(codings.begin(), codings.end(), is_chunked) != 1) {
    return Malformed("its Transfer-Encoding does not end with one chunked");
  }
  return Refusal{StatusCode::kNotImplemented,
                 "of the transfer codings this server knows chunked alone, by itself"};
}

std::optional<Refusal> CheckContentEncoding(const RequestHeader& header) {
  const auto [first, last] = header.equal_range(beast_http::field::content_encoding);
  for (auto field = first; field != last; ++field) {
    if (EqualsIgnoringCase(View(field->value()), "identity")) continue;
    return Refusal{StatusCode::kUnsupportedMediaType,
                   "the body is compressed; send it as it is, without Content-Encoding"};
  }
  return std::nullopt;
}

}  // namespace

Refusal Malformed(const std::string& reason) {
  return {StatusCode::kBadRequest, "the request is not valid HTTP: " + reason};
}

std::optional<Refusal> CheckFraming(const RequestHeader& header) {
  for (const auto check : {CheckTransferEncoding, CheckHost, CheckTarget, CheckContentEncoding}) {
    if (std::optional<Refusal> refusal = check(header)) return refusal;
  }
  return std::nullopt;
}

std::string PathAndQuery(std::string_view target) {
  const size_t end = EndOfAuthority(target);
  if (end == std::string_view::npos) return std::string(target);
  target.remove_prefix(end);
  return target.starts_with('/') ? std::string(target) : '/' + std::string(target);
}

}  // namespace embedding::http
