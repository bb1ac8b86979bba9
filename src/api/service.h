// Service: the whole HTTP interface, over one or several models.
//
// It may take requests before the models are there: until Start, routes that need them answer 503.
// Thread-safety: Start may be called from any thread while requests are handled.
#pragma once

#include <atomic>
#include <functional>
#include <memory>
#include <string>
#include <vector>

#include "api/access_log.h"
#include "api/call.h"
#include "api/loading.h"
#include "api/metrics.h"
#include "embedding/byte_budget.h"
#include "embedding/engine.h"
#include "embedding/observer.h"
#include "http/api_keys.h"
#include "http/handler.h"
#include "http/rate_limiter.h"
#include "http/router.h"

namespace embedding::api {

class Service {
 public:
  // `post` takes the work that is too long for the caller of the handler: parsing, tokenising,
  // writing vectors. It must work until every request has been answered.
  Service(ServiceOptions options, Post post);
  Service(const Service&) = delete;
  Service& operator=(const Service&) = delete;

  // From here on requests are answered by `models`, of which there is at least one, and which must
  // outlive them.
  void Start(Models models);

  bool started() const { return started_; }

  // Whether requests need a key.
  bool has_keys() const { return !keys_.empty(); }

  // Answers every request, those to no route too. It, or the copy that is called, must outlive
  // them.
  const http::Handler& handler() const { return handler_; }

  // What http::Application::answered is to be; nothing where nobody keeps account. Lives as long as
  // the service.
  std::function<void(const http::Answered&)> answered();

  // From here on these are the keys and the limits. Any thread.
  void Replace(const std::vector<http::ApiKey>& keys, http::RateLimits limits);

  // Writes the last lines of the access log. No request may be answered any more.
  void CloseAccessLog() { access_log_ = nullptr; }

  // What is to be told what a model's engine does, for /metrics. Lives as long as the service.
  EngineObserver& ObserverOf(const std::string& model) { return metrics_.ObserverOf(model); }

  // What is to be told how far the models are.
  Loading& loading() { return loading_; }

  // How a refusal reads, in the dialect of the request's target, to pages that may read it.
  Response Word(const http::Refusal& refusal, const Request& request) const;

 private:
  // The routes behind the layers that all of them share.
  http::Handler MakeHandler();
  http::Router MakeRouter();
  void Answer(void (*handle)(const CallPtr&), Request request, Responder responder);

  const ServiceOptions options_;
  const Post post_;
  Models models_;  // not touched once started_ is set
  std::atomic<bool> started_ = false;
  Loading loading_;
  Metrics metrics_;
  http::ApiKeys keys_;
  http::RateLimiter limiter_;
  std::unique_ptr<AccessLog> access_log_;  // nullptr if there is none
  ByteBudget answers_;
  ByteBudget reading_;
  const http::Router router_;
  const http::Handler handler_;
};

}  // namespace embedding::api
