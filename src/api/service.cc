#include "api/service.h"

#include <chrono>
#include <memory>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "api/errors.h"
#include "api/routes.h"
#include "http/api_key.h"
#include "http/cors.h"
#include "http/count_answers.h"
#include "http/on_worker.h"

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

http::Router Service::MakeRouter() {
  const auto still_loading = [this](const Request&) -> std::optional<http::Refusal> {
    if (started_) return std::nullopt;
    return http::Refusal{http::StatusCode::kServiceUnavailable,
                         "the model " + options_.model_name + " is still loading, try again"};
  };
  std::vector<http::Route> routes;
  for (const RouteRow& row : Routes()) {
    routes.push_back({row.method, row.path, row.policy,
                      [this, handle = row.handle](Request request, Responder responder) {
                        Answer(handle, std::move(request), std::move(responder));
                      }});
  }
  return http::Router(std::move(routes),
                      {.with_key = http::RequireKey(options_.api_keys, WordOf),
                       .once_started = http::RefuseIf(still_loading, WordOf),
                       .on_worker = http::OnWorker(post_, WordOf)},
                      WordOf);
}

http::Handler Service::MakeHandler() {
  const http::Middleware cors = http::Cors(options_.cors_origins);
  const http::Middleware metrics = http::CountAnswers(
      [this](const Request& request) { return router_.RouteOf(request); },
      [this](std::string_view route, int status, std::chrono::duration<double> duration) {
        metrics_.CountAnswer(route, status, duration);
      });
  return cors(metrics([this](Request request, Responder responder) {
    router_.Handle(std::move(request), std::move(responder));
  }));
}

void Service::Answer(void (*handle)(const CallPtr&), Request request, Responder responder) {
  const auto call = std::make_shared<Call>(
      Call{options_, post_, started_ ? &models_ : nullptr, metrics_, answers_, reading_,
           std::chrono::steady_clock::now(), std::move(request), std::move(responder)});
  Take(call, [&] { handle(call); });
}

}  // namespace embedding::api
