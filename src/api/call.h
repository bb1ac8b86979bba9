// Call: one request on its way through the threads that work on it.
//
// Thread-safety: touched by one thread at a time; a call is handed on, never shared.
#pragma once

#include <cstddef>
#include <functional>
#include <memory>
#include <string>

#include "api/http.h"
#include "base/result.h"
#include "engine/embedder.h"

namespace embedding::api {

// Runs a task on another thread, soon.
using Post = std::function<void(std::function<void()>)>;

struct ServiceOptions {
  std::string model_name;  // as answers show it
  size_t max_client_batch_size = 100;
};

struct Call {
  const ServiceOptions& options;
  const Post& post;
  Embedder* embedder;  // nullptr while the model loads
  Request request;
  Respond respond;  // empty once the call has been answered

  void Answer(Response response);
  void Fail(const Error& error);
};

using CallPtr = std::shared_ptr<Call>;

// Continues the call on another thread. An exception that a library throws there (out of memory,
// say) is answered like any other internal error.
void Continue(const CallPtr& call, std::function<void()> step);

}  // namespace embedding::api
