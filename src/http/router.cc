#include "http/router.h"

#include <fmt/format.h>

#include <algorithm>
#include <string>
#include <utility>

namespace embedding::http {
namespace {

std::string_view PathOf(std::string_view target) {
  std::string_view path = target.substr(0, target.find('?'));
  if (path.size() > 1 && path.ends_with('/')) path.remove_suffix(1);
  return path;
}

bool Matches(const Route& route, std::string_view path) {
  return route.path.ends_with('/') && route.path != "/"
             ? path.starts_with(route.path) && path != route.path
             : path == route.path;
}

struct Found {
  const Route* route = nullptr;
  std::string allowed;  // the methods that the path takes besides OPTIONS; empty if there is none
};

Found Find(const std::vector<Route>& routes, const Request& request) {
  const std::string_view method =
      request.method == "HEAD" ? "GET" : std::string_view(request.method);
  const std::string_view path = PathOf(request.target);
  if (path == "*") return {nullptr, "GET, HEAD, POST"};  // the whole server (RFC 9110, 9.3.7)
  Found found;
  for (const Route& route : routes) {
    if (!Matches(route, path)) continue;
    if (route.method == method) found.route = &route;
    if (!found.allowed.empty()) found.allowed += ", ";
    found.allowed += route.method == "GET" ? "GET, HEAD" : route.method;
  }
  return found;
}

// What the client sent, made fit for an error message: short, and nothing but printable ASCII.
std::string Excerpt(std::string_view text) {
  constexpr size_t kMaxChars = 100;
  std::string excerpt(text.substr(0, kMaxChars));
  for (char& c : excerpt) {
    if (c < 0x20 || c > 0x7E) c = '?';
  }
  if (text.size() > kMaxChars) excerpt += "...";
  return excerpt;
}

// From the inside out.
Handler Layered(Handler handler, const Policy& policy, const PolicyLayers& layers) {
  if (policy.executor == Executor::kWorker) handler = layers.on_worker(std::move(handler));
  handler = AfterBody(std::move(handler));
  if (policy.readiness == Readiness::kOnceStarted) {
    handler = layers.once_started(std::move(handler));
  }
  if (policy.metering == Metering::kLimited) handler = layers.limited(std::move(handler));
  if (policy.access == Access::kWithKey) handler = layers.with_key(std::move(handler));
  return handler;
}

}  // namespace

Router::Router(std::vector<Route> routes, const PolicyLayers& layers, WordRefusal word)
    : routes_(std::move(routes)), word_(std::move(word)) {
  for (Route& route : routes_) {
    route.handler = Layered(std::move(route.handler), route.policy, layers);
  }
}

void Router::Handle(Request request, Responder responder) const {
  const Found found = Find(routes_, request);
  if (found.route != nullptr) {
    return found.route->handler(std::move(request), std::move(responder));
  }
  const std::string path = Excerpt(PathOf(request.target));
  Response response;
  if (found.allowed.empty()) {
    response = word_({StatusCode::kNotFound, "no such path: " + path}, request);
  } else if (request.method == "OPTIONS") {
    response.status = 204;
  } else {
    response =
        word_({StatusCode::kMethodNotAllowed,
               fmt::format("{} takes {}, not {}", path, found.allowed, Excerpt(request.method))},
              request);
  }
  if (!found.allowed.empty()) response.headers.push_back({"Allow", found.allowed + ", OPTIONS"});
  responder.Answer(std::move(response));
}

std::string_view Router::RouteOf(std::string_view target) const {
  const std::string_view path = PathOf(target);
  const auto found = std::find_if(routes_.begin(), routes_.end(),
                                  [&](const Route& route) { return Matches(route, path); });
  return found == routes_.end() ? std::string_view() : found->path;
}

}  // namespace embedding::http
