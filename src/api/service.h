// Service: every route of the HTTP interface, over one model.
//
// It may take requests before the model is there: until Start, routes that need it answer 503.
// Thread-safety: Handle and Start may be called from any thread.
#pragma once

#include <atomic>
#include <utility>

#include "api/call.h"
#include "api/http.h"
#include "engine/embedder.h"

namespace embedding::api {

class Service {
 public:
  // `post` takes the work that is too long for the caller of Handle: parsing, tokenising, writing
  // vectors. It must work until every request has been answered.
  Service(ServiceOptions options, Post post)
      : options_(std::move(options)), post_(std::move(post)) {}
  Service(const Service&) = delete;
  Service& operator=(const Service&) = delete;

  // From here on requests are answered by `embedder`, which must outlive them.
  void Start(Embedder& embedder) { embedder_ = &embedder; }

  // Returns at once; see Respond for how the answer comes.
  void Handle(Request request, Respond respond) const;

 private:
  const ServiceOptions options_;
  const Post post_;
  std::atomic<Embedder*> embedder_ = nullptr;
};

}  // namespace embedding::api
