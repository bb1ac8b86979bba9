// A request and a response as plain values: all that handlers see of HTTP. No sockets here.
#pragma once

#include <atomic>
#include <chrono>
#include <cstddef>
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

// Who asks. All of it is printable ASCII.
struct ClientIdentity {
  // An IP address: the peer's, or the one that a trusted proxy tells (client_address.h). Empty over
  // a UNIX socket whose other end tells none, "unknown" of a peer that has left.
  std::string address = {};
  std::string key_name = {};  // of the key that came with the request (api_keys.h); or ""
  // Whose limits and turns the request counts against: "key:<name>", or without a key the address,
  // of IPv6 the /64 that it is in, for those are handed out to one household or machine.
  std::string id = {};
};

// What a request has cost, as far as anything was computed for it.
struct Cost {
  using Duration = std::chrono::steady_clock::duration;
  size_t texts = 0;
  size_t cached_texts = 0;  // of them, which were not computed
  size_t truncated_texts = 0;
  size_t tokens = 0;
  Duration tokenization{};
  Duration queue{};
  Duration inference{};
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
  std::string accept_encoding = {};
  std::string if_none_match = {};
  std::string authorization = {};
  std::string api_key = {};            // X-API-Key
  std::string origin = {};             // of the page that asks, from a browser
  std::string requested_method = {};   // Access-Control-Request-Method
  std::string requested_headers = {};  // Access-Control-Request-Headers
  std::string forwarded_for = {};      // X-Forwarded-For, all of them joined by commas
  std::string forwarded = {};          // Forwarded, the same
  std::string traceparent = {};
  ClientIdentity client = {};
  ByteCharge charge = {};  // for the body's memory
  // Where the body is to be had, as long as it has not been read: AfterBody, in handler.h.
  std::shared_ptr<BodySource> unread_body = nullptr;
};

struct Response {
  int status = 200;
  std::vector<Header> headers = {};  // besides Content-Type, Content-Length and Connection
                                     // (of which 204 and 304 have neither of the first two)
  std::string body = {};
  std::string content_type = "application/json";
  ByteCharge charge = {};  // for the body's memory, and whatever else is held until it is sent
  ClientIdentity client =
      {};          // whose request it answers, and what that has cost, for whoever keeps
  Cost cost = {};  // account of it; neither is sent
};

// A request that has been answered, for the access log: no header, no query, no body.
struct Answered {
  std::string method;
  std::string target;  // as Request's
  std::string request_id;
  std::string trace_id;  // of traceparent; or ""
  ClientIdentity client;
  int status = 0;
  size_t bytes_in = 0;   // of the request's body
  size_t bytes_out = 0;  // of the answer's
  Cost cost;
  // From the request's first byte until the answer's last was handed to the system.
  std::chrono::steady_clock::duration total{};
};

}  // namespace embedding::http
