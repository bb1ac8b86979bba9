#include "http/on_worker.h"

#include <spdlog/spdlog.h>

#include <exception>
#include <memory>
#include <utility>

namespace embedding::http {
namespace {

struct Task {
  Request request;
  Responder responder;
};

void Run(Task& task, const Handler& next, const WordRefusal& word) {
  const auto& cancelled = task.request.cancelled;
  if (cancelled != nullptr && *cancelled) {
    return task.responder.Answer(word(
        {StatusCode::kClientClosedRequest, "the client has closed the connection"}, task.request));
  }
  next(std::move(task.request), std::move(task.responder));
}

}  // namespace

Middleware OnWorker(Post post, WordRefusal word) {
  return [post = std::move(post), word = std::move(word)](Handler next) -> Handler {
    return [post, word, next = std::move(next)](Request request, Responder responder) {
      auto task = std::make_shared<Task>(Task{std::move(request), std::move(responder)});
      post([task = std::move(task), &next, &word] {
        try {
          Run(*task, next, word);
        } catch (const std::exception& e) {
          // The responder has been dropped without an answer, which answers 500.
          spdlog::error("a request is lost: {}", e.what());
        }
      });
    };
  };
}

}  // namespace embedding::http
