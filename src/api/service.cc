#include "api/service.h"

#include <fmt/format.h>

#include <algorithm>
#include <chrono>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "api/api_key.h"
#include "api/cohere.h"
#include "api/cors.h"
#include "api/errors.h"
#include "api/json_reader.h"
#include "api/native.h"
#include "api/ollama.h"
#include "api/openai.h"
#include "api/shared_routes.h"
#include "api/static_files.h"
#include "api/tei.h"

namespace embedding::api {
namespace {

// A route with a body, which is read here: every dialect says the same of one that is no JSON.
template <void (*handle)(const CallPtr&, const JsonReader&)>
void Reading(const CallPtr& call) {
  const Result<ByteCharge> charge = call->ChargeReading();
  if (!charge.ok()) return call->Fail(charge.error());
  JsonReader json;
  if (Status parsed = json.Parse(call->request.body); !parsed.ok()) {
    return call->Fail(parsed.error());
  }
  handle(call, json);
}

struct Route {
  std::string_view method;
  std::string_view path;  // or, where it ends in '/' and is more, what paths begin with
  void (*handle)(const CallPtr&);
  // Routes of the model run on a worker, only once it is loaded, and want an API key where the
  // server has some. The others are answered to everybody and at once, however busy the workers
  // are.
  bool needs_model;
};

constexpr Route kRoutes[] = {
    {"POST", "/", Reading<Root>, true},
    {"GET", "/", NativeHealth, false},
    {"POST", "/invocations", Reading<Root>, true},
    {"POST", "/vertex", Reading<Vertex>, true},
    {"POST", "/embed", Reading<Embed>, true},
    {"GET", "/health", NativeHealth, false},
    {"GET", "/readyz", NativeHealth, false},
    {"GET", "/ping", NativeHealth, false},
    {"GET", "/livez", NativeLive, false},
    {"GET", "/metrics", TeiMetrics, false},
    {"GET", "/openapi.json", OpenApi, false},
    {"GET", "/docs", Docs, false},
    {"POST", "/embed_all", Reading<TeiEmbedAll>, true},
    {"POST", "/embed_sparse", Reading<TeiEmbedSparse>, true},
    {"POST", "/similarity", Reading<TeiSimilarity>, true},
    {"POST", "/rerank", Reading<Rerank>, true},
    {"POST", "/predict", Reading<TeiPredict>, true},
    {"POST", "/tokenize", Reading<TeiTokenize>, true},
    {"POST", "/decode", Reading<TeiDecode>, true},
    {"GET", "/info", TeiInfo, true},
    {"POST", "/v1/embeddings", Reading<OpenAiEmbeddings>, true},
    {"POST", "/embeddings", Reading<OpenAiEmbeddings>, true},
    {"GET", "/v1/models", OpenAiModels, true},
    {"GET", "/v1/models/", OpenAiModel, true},
    {"GET", "/models", OpenAiModels, true},
    {"POST", "/v1/rerank", Reading<CohereRerank>, true},
    {"POST", "/v2/rerank", Reading<CohereRerank>, true},
    {"POST", "/v1/reranking", Reading<CohereRerank>, true},
    {"POST", "/reranking", Reading<CohereRerank>, true},
    {"POST", "/api/embed", Reading<OllamaEmbed>, true},
    {"POST", "/api/embeddings", Reading<OllamaEmbeddings>, true},
    {"POST", "/api/show", Reading<OllamaShow>, true},
    {"POST", "/api/pull", Reading<OllamaPull>, true},
    {"GET", "/api/tags", OllamaTags, true},
    {"GET", "/api/ps", OllamaRunning, true},
    {"GET", "/api/version", OllamaVersion, false},
};

bool Matches(const Route& route, std::string_view path) {
  return route.path.ends_with('/') && route.path != "/"
             ? path.starts_with(route.path) && path != route.path
             : path == route.path;
}

// What the path is counted as: there are as many names as routes, whatever clients send.
std::string RouteOf(std::string_view path) {
  for (const Route& route : kRoutes) {
    if (Matches(route, path)) return std::string(route.path);
  }
  return "";
}

// Without the query, and without a slash at the end, which some clients' base addresses leave
// there.
std::string_view PathOf(const Request& request) {
  std::string_view path = request.target;
  path = path.substr(0, path.find('?'));
  if (path.size() > 1 && path.ends_with('/')) path.remove_suffix(1);
  return path;
}

struct Found {
  const Route* route = nullptr;
  std::string allowed;  // the methods that the path takes besides OPTIONS; empty if there is none
};

// HEAD is asked wherever GET is; "*" is the whole server (RFC 9110, 9.3.7).
Found Find(const Request& request) {
  const std::string_view method =
      request.method == "HEAD" ? "GET" : std::string_view(request.method);
  const std::string_view path = PathOf(request);
  if (path == "*") return {nullptr, "GET, HEAD, POST"};
  Found found;
  for (const Route& route : kRoutes) {
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

}  // namespace

std::vector<std::pair<std::string, std::string>> Service::Routes() {
  std::vector<std::pair<std::string, std::string>> routes;
  for (const Route& route : kRoutes) routes.emplace_back(route.method, route.path);
  return routes;
}

std::optional<Response> Service::Refuse(const Request& request) const {
  const Found found = Find(request);
  const std::string_view path = PathOf(request);
  std::optional<Error> error;
  std::optional<Response> response;
  if (found.allowed.empty()) {
    error = Error{ErrorCode::kNotFound, "no such path: " + Excerpt(path), ""};
  } else if (request.method == "OPTIONS") {
    // Browsers ask before they know a key.
    response = Response{.status = 204};
    if (!options_.cors_origins.empty() && IsPreflight(request)) {
      AllowRequest(request, found.allowed, *response);
    }
  } else if (found.route == nullptr) {
    error = Error{
        ErrorCode::kMethodNotAllowed,
        fmt::format("{} takes {}, not {}", Excerpt(path), found.allowed, Excerpt(request.method)),
        ""};
  } else if (found.route->needs_model) {
    if (Status allowed = CheckApiKey(options_.api_keys, request); !allowed.ok()) {
      error = std::move(allowed).error();
    } else if (!started_) {
      error = Error{ErrorCode::kUnavailable,
                    "the model " + options_.model_name + " is still loading, try again", ""};
    }
  }
  if (error) response = ErrorResponse(*error, request.target, request.request_id);
  if (!response) return std::nullopt;
  if (!found.allowed.empty() && found.route == nullptr) {
    response->headers.push_back({"Allow", found.allowed + ", OPTIONS"});
  }
  metrics_.Count(RouteOf(path), response->status, std::chrono::seconds(0));
  return response;
}

void Service::Finish(const std::string& origin, Response& response) const {
  AllowOrigin(options_.cors_origins, origin, response);
}

void Service::Handle(Request request, Respond respond) const {
  const auto received = std::chrono::steady_clock::now();
  if (std::optional<Response> refusal = Refuse(request)) return respond(*std::move(refusal));
  const Route& route = *Find(request).route;
  Respond counted = [this, received, path = std::string(route.path),
                     respond = std::move(respond)](Response response) {
    metrics_.Count(path, response.status, std::chrono::steady_clock::now() - received);
    respond(std::move(response));
  };
  const auto call = std::make_shared<Call>(Call{options_, post_, started_ ? &models_ : nullptr,
                                                metrics_, answers_, reading_, received,
                                                std::move(request), std::move(counted)});
  if (!route.needs_model) return route.handle(call);
  Continue(call, [call, handle = route.handle] {
    const auto& cancelled = call->request.cancelled;
    if (cancelled != nullptr && *cancelled) {
      return call->Fail({ErrorCode::kCancelled, "the client has closed the connection", ""});
    }
    handle(call);
  });
}

}  // namespace embedding::api
