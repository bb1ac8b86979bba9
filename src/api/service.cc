#include "api/service.h"

#include <chrono>
#include <memory>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "api/errors.h"
#include "api/routes.h"
#include "http/api_keys.h"
#include "http/client_address.h"
#include "http/cors.h"
#include "http/count_answers.h"
#include "http/on_worker.h"
#include "http/rate_limiter.h"

namespace embedding::api {
namespace {

// In the shape of the dialect of the request's target.
Response WordOf(const http::Refusal& refusal, const Request& request) {
  return RefusalResponse(refusal, request.target, request.request_id);
}

}  // namespace

Service::Service(ServiceOptions options, Post post)
    : options_(std::move(options)),
      post_(std::move(post)),
      metrics_(options_.cache),
      keys_(options_.api_keys),
      limiter_(options_.rate_limits),
      access_log_(options_.access_log ? std::make_unique<AccessLog>(options_.log_format) : nullptr),
      answers_(options_.answer_limit_bytes),
      reading_(options_.reading_limit_bytes),
      router_(MakeRouter()),
      handler_(MakeHandler()) {}

void Service::Start(Models models) {
  models_ = std::move(models);
  started_ = true;
}

Response Service::Word(const http::Refusal& refusal, const Request& request) const {
  Response response = WordOf(refusal, request);
  http::AllowOrigin(options_.cors_origins, request.origin, response);
  return response;
}

std::function<void(const http::Answered&)> Service::answered() {
  if (access_log_ == nullptr) return nullptr;
  return [this](const http::Answered& request) {
    access_log_->Write(request, router_.RouteOf(request.target));
    metrics_.TellLostLines(access_log_->lost());
  };
}

void Service::Replace(const std::vector<http::ApiKey>& keys, http::RateLimits limits) {
  keys_.Replace(keys);
  limiter_.Replace(std::move(limits));
}

http::Router Service::MakeRouter() {
  const auto still_loading = [this](const Request&) -> std::optional<http::Refusal> {
    if (started_) return std::nullopt;
    return http::Refusal{http::StatusCode::kServiceUnavailable,
                         "the model " + options_.model_name + " is still loading, try again"};
  };
  const auto count_limited = [this](const http::ClientIdentity& client, std::string_view of) {
    metrics_.CountLimited(client.key_name, of);
  };
  std::vector<http::Route> routes;
  for (const RouteRow& row : Routes()) {
    http::Policy policy = row.policy;
    policy.access =
        IsOpen(row, options_.open_routes) ? http::Access::kPublic : http::Access::kWithKey;
    routes.push_back({row.method, row.path, policy,
                      [this, handle = row.handle](Request request, Responder responder) {
                        Answer(handle, std::move(request), std::move(responder));
                      }});
  }
  return http::Router(
      std::move(routes),
      {.with_key = http::RequireKey(keys_, WordOf),
       .limited = http::LimitRate(limiter_, std::chrono::steady_clock::now, count_limited, WordOf),
       .once_started = http::RefuseIf(still_loading, WordOf),
       .on_worker = http::OnWorker(post_, WordOf)},
      WordOf);
}

http::Handler Service::MakeHandler() {
  const http::Middleware cors = http::Cors(options_.cors_origins);
  const http::Middleware metrics =
      http::CountAnswers([this](const Request& request) { return router_.RouteOf(request.target); },
                         [this](std::string_view route, const Response& response,
                                std::chrono::duration<double> duration) {
                           metrics_.CountAnswer(route, response, duration);
                         });
  const http::Middleware address = http::FindClientAddress(options_.trusted_proxies);
  const http::Middleware client = http::FindClient(keys_);
  return cors(address(client(metrics([this](Request request, Responder responder) {
    router_.Handle(std::move(request), std::move(responder));
  }))));
}

void Service::Answer(void (*handle)(const CallPtr&), Request request, Responder responder) {
  const auto call = std::make_shared<Call>(
      Call{options_, post_, started_ ? &models_ : nullptr, loading_, metrics_, answers_, reading_,
           std::chrono::steady_clock::now(), std::move(request), std::move(responder)});
  Take(call, [&] { handle(call); });
}

}  // namespace embedding::api
