// Handler, Responder, Middleware: how a request is answered, in layers.
//
// A handler is called on the server's I/O thread as soon as a request's header is there, and
// returns soon; long work happens on other threads. What it needs the body for stands behind
// AfterBody: a request that is refused for its header is refused before its body is read. A
// middleware puts one layer around a handler: it may answer in its place, or change what it is
// asked or what it answers.
//
// Thread-safety: handlers are called by one thread at a time and must outlive the server; a Request
// and its Responder are handed on together, from any thread to any other.
#pragma once

#include <concepts>
#include <functional>
#include <optional>
#include <type_traits>
#include <utility>

#include "http/message.h"
#include "http/refusal.h"

namespace embedding::http {

// Takes the answer to one request, once at most. Dropped without one, the request is answered 500.
class Responder {
 public:
  Responder() = default;  // has answered
  template <std::invocable<Response> Give>
  requires(!std::same_as<std::decay_t<Give>, Responder>) Responder(Give give)
      : give_(std::move(give)) {}
  ~Responder();
  Responder(Responder&& other) noexcept : give_(std::exchange(other.give_, nullptr)) {}
  Responder& operator=(Responder&& other) noexcept {
    give_ = std::exchange(other.give_, nullptr);
    return *this;
  }

  // Whether the answer is still to be given.
  explicit operator bool() const { return give_ != nullptr; }

  // Any thread.
  void Answer(Response response) { std::exchange(give_, nullptr)(std::move(response)); }

  // A responder whose answers go through `change` on their way to this one.
  Responder Changing(std::function<void(Response&)> change) &&;

 private:
  std::function<void(Response)> give_;
};

// May throw std::bad_alloc, as what it calls may: the request is answered 500 then.
using Handler = std::function<void(Request, Responder)>;

using Middleware = std::function<Handler(Handler)>;

// A request's body that has not been read yet.
class BodySource {
 public:
  virtual ~BodySource() = default;

  // Calls `next`, which must outlive the request, once the body is in the request. A body that does
  // not come as it should is answered by the server, and `next` is not called. On the thread that
  // the handler is called on, before that returns; once.
  virtual void Read(Request request, Responder responder, const Handler& next) = 0;
};

// A handler that reads the body before it goes on.
Handler AfterBody(Handler next);

// Refuses what `why_not` gives a reason for, worded by `word`.
Middleware RefuseIf(std::function<std::optional<Refusal>(const Request&)> why_not,
                    WordRefusal word);

}  // namespace embedding::http
