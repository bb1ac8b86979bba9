// The seam between the wire and the dialects: a request and a response as plain values.
//
// serve/ reads and writes bytes and knows no JSON; api/ knows JSON and no sockets.
#pragma once

#include <atomic>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "base/byte_budget.h"

namespace embedding::api {

struct Header {
  std::string name;
  std::string value;
};

struct Request {
  std::string method;  // "GET"
  std::string target;  // as on the request line, query included: any bytes without spaces
  std::string body;
  std::string request_id;  // printable ASCII; names the request in the log
  // Becomes true when the client has gone; nullptr if nobody watches.
  std::shared_ptr<const std::atomic<bool>> cancelled = nullptr;
  // Headers as they were sent; empty where they were not.
  std::string accept = {};
  std::string authorization = {};
  std::string api_key = {};            // X-API-Key
  std::string origin = {};             // of the page that asks, from a browser
  std::string requested_method = {};   // Access-Control-Request-Method
  std::string requested_headers = {};  // Access-Control-Request-Headers
  ByteCharge charge = {};              // for the body's memory
};

struct Response {
  int status = 200;
  std::vector<Header> headers = {};  // besides Content-Type, Content-Length and Connection
                                     // (of which 204 has neither of the first two)
  std::string body = {};
  std::string content_type = "application/json";
  ByteCharge charge = {};  // for the body's memory, and whatever else is held until it is sent
};

// Answers a request. Called once at most, from any thread; does not throw. If all copies are gone
// and none was called, the request is answered with an internal error.
using Respond = std::function<void(Response)>;

// Takes a request and returns soon; long work happens on other threads. May throw std::bad_alloc.
using Handler = std::function<void(Request, Respond)>;

// What a request can be refused with for its header alone, before its body is read; nothing if it
// is welcome. The request's body is empty yet. May throw std::bad_alloc.
using Refuse = std::function<std::optional<Response>(const Request&)>;

// Adds to any answer what all have; `origin` is the request's. May throw std::bad_alloc.
using Finish = std::function<void(const std::string& origin, Response&)>;

}  // namespace embedding::api
