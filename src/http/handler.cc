#include "http/handler.h"

#include <memory>

namespace embedding::http {

// Here, for clang 14 does not emit it wherever it is inline beside a constrained constructor.
Responder::~Responder() = default;

Responder Responder::Changing(std::function<void(Response&)> change) && {
  // Shared because a std::function can be copied.
  auto next = std::make_shared<Responder>(std::move(*this));
  return [next = std::move(next), change = std::move(change)](Response response) {
    change(response);
    next->Answer(std::move(response));
  };
}

Handler AfterBody(Handler next) {
  return [next = std::move(next)](Request request, Responder responder) {
    const std::shared_ptr<BodySource> body = std::exchange(request.unread_body, nullptr);
    if (body == nullptr) return next(std::move(request), std::move(responder));
    body->Read(std::move(request), std::move(responder), next);
  };
}

Middleware RefuseIf(std::function<std::optional<Refusal>(const Request&)> why_not,
                    WordRefusal word) {
  return [why_not = std::move(why_not), word = std::move(word)](Handler next) -> Handler {
    return [why_not, word, next = std::move(next)](Request request, Responder responder) {
      if (const std::optional<Refusal> refusal = why_not(request)) {
        return responder.Answer(word(*refusal, request));
      }
      next(std::move(request), std::move(responder));
    };
  };
}

}  // namespace embedding::http
