#include "http/api_key.h"

#include <strings.h>

#include <algorithm>
#include <optional>
#include <span>
#include <string_view>
#include <utility>

namespace embedding::http {
namespace {

bool EqualInConstantTime(std::string_view a, std::string_view b) {
  if (a.size() != b.size()) return false;
  int difference = 0;
  for (size_t i = 0; i < a.size(); ++i) difference |= a[i] ^ b[i];
  return difference == 0;
}

// The key of "Bearer <key>", whose first word may be of any case and stand before several
// spaces (RFC 9110, 11.1 and 11.4).
std::string_view BearerKey(std::string_view authorization) {
  constexpr std::string_view kScheme = "Bearer ";
  if (authorization.size() < kScheme.size() ||
      ::strncasecmp(authorization.data(), kScheme.data(), kScheme.size()) != 0) {
    return {};
  }
  authorization.remove_prefix(
      std::min(authorization.find_first_not_of(' ', kScheme.size()), authorization.size()));
  return authorization;
}

std::optional<Refusal> CheckKey(std::span<const std::string> keys, const Request& request) {
  const std::string_view bearer = BearerKey(request.authorization);
  const bool known = std::any_of(keys.begin(), keys.end(), [&](const std::string& key) {
    if (key.empty()) return false;  // it would let in whoever sends none
    return EqualInConstantTime(key, request.api_key) || EqualInConstantTime(key, bearer);
  });
  if (known) return std::nullopt;
  if (request.api_key.empty() && bearer.empty()) {
    return Refusal{StatusCode::kUnauthorized,
                   "this server wants an API key, as the header X-API-Key: <key> or "
                   "Authorization: Bearer <key>"};
  }
  return Refusal{StatusCode::kUnauthorized, "the API key is not one of this server's"};
}

}  // namespace

Middleware RequireKey(std::vector<std::string> keys, WordRefusal word) {
  if (keys.empty()) return [](Handler next) { return next; };
  return RefuseIf(
      [keys = std::move(keys)](const Request& request) { return CheckKey(keys, request); },
      std::move(word));
}

}  // namespace embedding::http
