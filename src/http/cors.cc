#include "http/cors.h"

#include <algorithm>
#include <utility>

namespace embedding::http {
namespace {

// What clients may have to read besides the body. "*" would stand for all, but not in every browser
// that is in use.
constexpr const char* kExposed =
    "x-request-id, x-truncated, x-cache, x-shape, x-compute-time, x-total-time, "
    "x-tokenization-time, x-queue-time, x-inference-time, x-compute-tokens, x-compute-characters, "
    "Retry-After, Allow, WWW-Authenticate, RateLimit-Limit, RateLimit-Remaining, RateLimit-Reset";

// What this server reads. Clients of other servers send more, which they ask for.
constexpr const char* kAllowed = "authorization, x-api-key, content-type, accept, x-request-id";

// Two hours, the longest that Chromium takes.
constexpr const char* kMaxAgeSeconds = "7200";

bool IsLowerOrDigit(char c) { return (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9'); }

bool IsAllOf(std::string_view text, std::string_view others) {
  return std::all_of(text.begin(), text.end(), [others](char c) {
    return IsLowerOrDigit(c) || others.find(c) != std::string_view::npos;
  });
}

bool IsPort(std::string_view port, std::string_view scheme) {
  if (port.empty() || port.size() > 5 || port.front() == '0') return false;
  unsigned number = 0;
  for (const char c : port) {
    if (c < '0' || c > '9') return false;
    number = 10 * number + static_cast<unsigned>(c - '0');
  }
  const bool left_out = (scheme == "http" && number == 80) || (scheme == "https" && number == 443);
  return number <= 65535 && !left_out;
}

bool IsHost(std::string_view host) {
  if (host.starts_with('[')) {
    return host.size() > 2 && host.ends_with(']') && IsAllOf(host.substr(1, host.size() - 2), ":.");
  }
  return !host.empty() && host.front() != '.' && host.front() != '-' && IsAllOf(host, ".-_");
}

// Names of headers and what stands between them.
bool IsHeaderList(std::string_view text) {
  return std::all_of(text.begin(), text.end(), [](char c) {
    return IsLowerOrDigit(c) || (c >= 'A' && c <= 'Z') || c == '-' || c == '_' || c == ',' ||
           c == ' ';
  });
}

// Whether the browser asks with it what its page may send.
bool IsPreflight(const Request& request) {
  return request.method == "OPTIONS" && !request.origin.empty() &&
         !request.requested_method.empty();
}

// Adds to the answer to a preflight that the page may send what the path takes, and `asked`.
void AllowRequest(const std::string& asked, Response& response) {
  constexpr std::string_view kItself = ", OPTIONS";
  const auto allow = std::find_if(response.headers.begin(), response.headers.end(),
                                  [](const Header& header) { return header.name == "Allow"; });
  if (allow == response.headers.end()) return;  // there is no such path
  std::string methods = allow->value;
  if (methods.ends_with(kItself)) methods.resize(methods.size() - kItself.size());
  std::string headers = kAllowed;
  if (!asked.empty() && IsHeaderList(asked)) headers += ", " + asked;
  response.headers.push_back({"Access-Control-Allow-Methods", std::move(methods)});
  response.headers.push_back({"Access-Control-Allow-Headers", std::move(headers)});
  response.headers.push_back({"Access-Control-Max-Age", kMaxAgeSeconds});
}

void AddToVary(std::string_view name, Response& response) {
  for (Header& header : response.headers) {
    if (header.name != "Vary") continue;
    header.value.append(", ").append(name);
    return;
  }
  response.headers.push_back({"Vary", std::string(name)});
}

}  // namespace

bool IsOrigin(std::string_view text) {
  if (text == "*" || text == "null") return true;
  constexpr std::string_view kAfterScheme = "://";
  const size_t end = text.find(kAfterScheme);
  if (end == 0 || end == std::string_view::npos) return false;
  const std::string_view scheme = text.substr(0, end);
  if (scheme.front() < 'a' || scheme.front() > 'z' || !IsAllOf(scheme, "+-.")) return false;
  const std::string_view rest = text.substr(end + kAfterScheme.size());
  const size_t host_end = rest.find(':', rest.starts_with('[') ? rest.find(']') : 0);
  if (host_end == std::string_view::npos) return IsHost(rest);
  return IsHost(rest.substr(0, host_end)) && IsPort(rest.substr(host_end + 1), scheme);
}

void AllowOrigin(std::span<const std::string> origins, std::string_view origin,
                 Response& response) {
  if (origins.empty()) return;
  const auto has = [&](std::string_view wanted) {
    return std::find(origins.begin(), origins.end(), wanted) != origins.end();
  };
  const bool all = has("*");
  // A cache must not give one page's answer to another.
  if (!all) AddToVary("Origin", response);
  if (origin.empty() || (!all && !has(origin))) return;
  response.headers.push_back({"Access-Control-Allow-Origin", all ? "*" : std::string(origin)});
  response.headers.push_back({"Access-Control-Expose-Headers", kExposed});
}

Middleware Cors(std::vector<std::string> origins) {
  return [origins = std::move(origins)](Handler next) -> Handler {
    if (origins.empty()) return next;
    return [origins, next = std::move(next)](Request request, Responder responder) {
      auto change = [&origins, origin = request.origin, preflight = IsPreflight(request),
                     asked = request.requested_headers](Response& response) {
        if (preflight) AllowRequest(asked, response);
        AllowOrigin(origins, origin, response);
      };
      next(std::move(request), std::move(responder).Changing(std::move(change)));
    };
  };
}

}  // namespace embedding::http
