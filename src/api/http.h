// The seam between the wire and the dialects: a request and a response as plain values.
//
// serve/ reads and writes bytes and knows no JSON; api/ knows JSON and no sockets.
#pragma once

#include <atomic>
#include <functional>
#include <memory>
#include <string>
#include <vector>

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
  std::string api_key = {};  // X-API-Key
};

struct Response {
  int status = 200;
  std::vector<Header> headers = {};  // besides Content-Type, Content-Length and Connection
  std::string body = {};
  std::string content_type = "application/json";
};

// Answers a request. Called exactly once, from any thread.
using Respond = std::function<void(Response)>;

// Takes a request and returns soon; long work happens on other threads.
using Handler = std::function<void(Request, Respond)>;

}  // namespace embedding::api
