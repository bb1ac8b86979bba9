#include "redis/redis_address.h"

#include <fmt/format.h>

#include <charconv>
#include <limits>
#include <optional>
#include <system_error>
#include <utility>

#include "base/quoted.h"
#include "redis/redis_tls.h"

namespace embedding {
namespace {

constexpr std::string_view kPlain = "redis://";
constexpr std::string_view kTls = "rediss://";

template <typename... Args>
Error Wrong(fmt::format_string<Args...> format, Args&&... args) {
  return {ErrorCode::kInvalidArgument, fmt::format(format, std::forward<Args>(args)...), {}};
}

std::optional<int> WholeNumber(std::string_view text, int least, int most) {
  int number = 0;
  const auto [end, problem] = std::from_chars(text.data(), text.data() + text.size(), number);
  if (problem != std::errc() || end != text.data() + text.size() || number < least ||
      number > most) {
    return std::nullopt;
  }
  return number;
}

// %40 is @; nothing if a % is not followed by two hexadecimal digits.
std::optional<std::string> PercentDecoded(std::string_view text) {
  std::string decoded;
  for (size_t i = 0; i < text.size(); ++i) {
    if (text[i] != '%') {
      decoded += text[i];
      continue;
    }
    const std::string_view digits = text.substr(i + 1, 2);
    unsigned char byte = 0;
    const auto [end, problem] =
        std::from_chars(digits.data(), digits.data() + digits.size(), byte, 16);
    if (problem != std::errc() || digits.size() != 2 || end != digits.data() + 2) return {};
    decoded += static_cast<char>(byte);
    i += 2;
  }
  return decoded;
}

// user:password, or a password alone, as in ":password".
Status TakeCredentials(std::string_view text, RedisAddress& address) {
  const size_t colon = text.find(':');
  if (colon == std::string_view::npos) {
    return Wrong(
        "what stands before the @ has no colon; write user:password, or :password where there is "
        "no user");
  }
  const auto user = PercentDecoded(text.substr(0, colon));
  const auto password = PercentDecoded(text.substr(colon + 1));
  if (!user || !password) {
    return Wrong(
        "what stands before the @ has a % without two hexadecimal digits behind it; a % itself is "
        "written %25");
  }
  if (password->empty()) return Wrong("the password before the @ is empty");
  address.user = *user;
  address.password = *password;
  return {};
}

// host, host:port or [::1]:port.
Status TakeHost(std::string_view text, RedisAddress& address) {
  const bool in_brackets = text.starts_with('[');
  const size_t end = in_brackets ? text.find(']') : text.find(':');
  if (in_brackets && end == std::string_view::npos) return Wrong("the host's [ has no ]");
  address.host = std::string(in_brackets ? text.substr(1, end - 1) : text.substr(0, end));
  const bool is_name = address.host.find_first_of(" \t[]@?#") == std::string::npos;
  if (address.host.empty() || !is_name) {
    return Wrong("expected a host's name or address, got {}", Quoted(address.host));
  }
  std::string_view rest = in_brackets                     ? text.substr(end + 1)
                          : end == std::string_view::npos ? std::string_view()
                                                          : text.substr(end);
  if (rest.empty()) return {};
  const auto port = rest.starts_with(':') ? WholeNumber(rest.substr(1), 1, 65535) : std::nullopt;
  // What stands there may be a password whose @ was forgotten: it is not shown.
  if (!port) return Wrong("expected a port from 1 to 65535 behind the host");
  address.port = *port;
  return {};
}

}  // namespace

bool IsRedisUrl(std::string_view text) {
  return text.starts_with(kPlain) || text.starts_with(kTls);
}

std::string RedisAddress::Shown() const {
  const bool is_v6 = host.find(':') != std::string::npos;
  return fmt::format("{}{}{}{}:{}/{}", tls ? kTls : kPlain, is_v6 ? "[" : "", host,
                     is_v6 ? "]" : "", port, database);
}

Result<RedisAddress> ParseRedisUrl(std::string_view url) {
  RedisAddress address;
  address.tls = url.starts_with(kTls);
  if (!IsRedisUrl(url)) return Wrong("expected redis:// or rediss://");
  if (address.tls && !kRedisHasTls) {
    return Wrong(
        "rediss:// needs hiredis with its TLS part (libhiredis_ssl, of version 1.0 or later), "
        "which "
        "this build has not; use redis://, over a tunnel if others share the network");
  }
  std::string_view rest = url.substr(address.tls ? kTls.size() : kPlain.size());
  // A password may have a / in it that should have been written %2F.
  if (const size_t at = rest.rfind('@'); at != std::string_view::npos) {
    RETURN_IF_ERROR(TakeCredentials(rest.substr(0, at), address));
    rest.remove_prefix(at + 1);
  }
  const size_t slash = rest.find('/');
  RETURN_IF_ERROR(TakeHost(rest.substr(0, slash), address));
  if (slash == std::string_view::npos || slash + 1 == rest.size()) return address;
  const auto database = WholeNumber(rest.substr(slash + 1), 0, std::numeric_limits<int>::max());
  if (!database) return Wrong("expected a database's number behind the host's /");
  address.database = *database;
  return address;
}

}  // namespace embedding
