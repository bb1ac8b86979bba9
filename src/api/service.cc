#include "api/service.h"

#include <memory>
#include <string>
#include <string_view>
#include <utility>

#include "api/errors.h"
#include "api/native.h"
#include "api/tei.h"

namespace embedding::api {
namespace {

struct Route {
  std::string_view method;
  std::string_view path;
  void (*handle)(const CallPtr&);
  // Routes of the model run on a worker, and only once it is loaded. The others are answered at
  // once, however busy the workers are.
  bool needs_model;
};

constexpr Route kRoutes[] = {
    {"POST", "/embed", NativeEmbed, true},    {"GET", "/health", NativeHealth, false},
    {"GET", "/readyz", NativeHealth, false},  {"GET", "/livez", NativeLive, false},
    {"POST", "/tokenize", TeiTokenize, true},
};

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

void Service::Handle(Request request, Respond respond) const {
  const auto call = std::make_shared<Call>(
      Call{options_, post_, embedder_.load(), std::move(request), std::move(respond)});
  const std::string_view target = call->request.target;
  const std::string_view path = target.substr(0, target.find('?'));
  std::string allowed;
  for (const Route& route : kRoutes) {
    if (route.path != path) continue;
    if (route.method != call->request.method) {
      allowed += allowed.empty() ? "" : ", ";
      allowed += route.method;
    } else if (!route.needs_model) {
      return route.handle(call);
    } else if (call->embedder == nullptr) {
      return call->Fail({ErrorCode::kUnavailable,
                         "the model " + options_.model_name + " is still loading, try again", ""});
    } else {
      return Continue(call, [call, handle = route.handle] {
        const auto& cancelled = call->request.cancelled;
        if (cancelled != nullptr && *cancelled) {
          return call->Fail({ErrorCode::kCancelled, "the client has closed the connection", ""});
        }
        handle(call);
      });
    }
  }
  if (allowed.empty()) {
    return call->Fail({ErrorCode::kNotFound, "no such path: " + Excerpt(path), ""});
  }
  Response response = ErrorResponse(
      {ErrorCode::kMethodNotAllowed,
       std::string(path) + " takes " + allowed + ", not " + Excerpt(call->request.method), ""},
      call->request.request_id);
  response.headers.push_back({"Allow", std::move(allowed)});
  call->Answer(std::move(response));
}

}  // namespace embedding::api
