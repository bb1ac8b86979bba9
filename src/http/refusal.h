// Refusal: why a request is not answered, where HTTP alone says so: its framing, its size, its
// path, its key. How that reads as a body is the application's choice.
#pragma once

#include <functional>
#include <string>
#include <vector>

#include "http/message.h"

namespace embedding::http {

enum class StatusCode : int {
  kBadRequest = 400,
  kUnauthorized = 401,
  kNotFound = 404,
  kMethodNotAllowed = 405,
  kRequestTimeout = 408,
  kPayloadTooLarge = 413,
  kUnsupportedMediaType = 415,
  kTooManyRequests = 429,
  kHeaderTooLarge = 431,
  kClientClosedRequest = 499,  // nginx's: nobody is there to read the answer, but the log is
  kInternalServerError = 500,
  kNotImplemented = 501,
  kServiceUnavailable = 503,
};

struct Refusal {
  StatusCode status = StatusCode::kInternalServerError;
  std::string message;  // a sentence for whoever has to act on it
};

// Makes an answer of a refusal. The request is there as far as it could be read: its target, its
// request_id and its origin may be looked at. May throw std::bad_alloc.
using WordRefusal = std::function<Response(const Refusal&, const Request&)>;

// The message as plain text.
Response PlainRefusal(const Refusal& refusal, const Request& request);

// What an answer of that status tells clients to do next; nothing for most.
std::vector<Header> AdviceOf(int status);

}  // namespace embedding::http
