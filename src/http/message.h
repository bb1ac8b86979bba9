// A request and a response as plain values: all that handlers see of HTTP. No sockets here.
#pragma once

#include <atomic>
#include <memory>
#include <string>
#include <vector>

#include "embedding/byte_budget.h"

namespace embedding::http {

class BodySource;

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
  // Where the body is to be had, as long as it has not been read: AfterBody, in handler.h.
  std::shared_ptr<BodySource> unread_body = nullptr;
};

struct Response {
  int status = 200;
  std::vector<Header> headers = {};  // besides Content-Type, Content-Length and Connection
                                     // (of which 204 has neither of the first two)
  std::string body = {};
  std::string content_type = "application/json";
  ByteCharge charge = {};  // for the body's memory, and whatever else is held until it is sent
};

}  // namespace embedding::http
