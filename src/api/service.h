// Service: every route of the HTTP interface, over one or several models.
//
// It may take requests before the models are there: until Start, routes that need it answer 503.
// Thread-safety: Handle and Start may be called from any thread.
#pragma once

#include <atomic>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "api/call.h"
#include "api/http.h"
#include "engine/embedder.h"

namespace embedding::api {

class Service {
 public:
  // `post` takes the work that is too long for the caller of Handle: parsing, tokenising, writing
  // vectors. It must work until every request has been answered.
  Service(ServiceOptions options, Post post)
      : options_(std::move(options)),
        post_(std::move(post)),
        answers_(options_.answer_limit_bytes),
        reading_(options_.reading_limit_bytes) {}
  Service(const Service&) = delete;
  Service& operator=(const Service&) = delete;

  // From here on requests are answered by `models`, of which there is at least one, and which must
  // outlive them.
  void Start(Models models) {
    models_ = std::move(models);
    started_ = true;
  }

  // Method and path of every route; a path that ends in '/' stands for all that begin with it.
  static std::vector<std::pair<std::string, std::string>> Routes();

  // What a request is refused with for its method, its path and its API key, or because the models
  // are still loading; nothing if none of these is in the way. OPTIONS is answered by it. Reads no
  // body.
  std::optional<Response> Refuse(const Request& request) const;

  // Adds what every answer to a request from `origin` has, whoever made it: CORS.
  void Finish(const std::string& origin, Response& response) const;

  // Answers a request, be it with a refusal. Returns at once; see Respond for how the answer comes.
  void Handle(Request request, Respond respond) const;

 private:
  const ServiceOptions options_;
  const Post post_;
  Models models_;  // not touched once started_ is set
  std::atomic<bool> started_ = false;
  mutable Metrics metrics_;
  mutable ByteBudget answers_;
  mutable ByteBudget reading_;
};

}  // namespace embedding::api
