// Answer: one response on its way to a client, as the message that HTTP makes of it.
#pragma once

#include <string>

#include "embedding/byte_budget.h"
#include "http/message.h"

#include <boost/beast/http/message.hpp>
#include <boost/beast/http/serializer.hpp>
#include <boost/beast/http/string_body.hpp>

namespace embedding::http {

// What an answer has to know of its request.
struct Exchange {
  unsigned version = 11;    // 10 for HTTP/1.0, 11 for HTTP/1.1
  bool keep_alive = false;  // as the client wants it, and as it can be
  bool head = false;        // the answer to HEAD has no body
  std::string origin;
  Answered record;  // what is known so far
};

class Answer {
 public:
  using Body = boost::beast::http::string_body;
  using Message = boost::beast::http::response<Body>;
  using Serializer = boost::beast::http::response_serializer<Body>;

  Answer(Response response, const Exchange& exchange);
  Answer(const Answer&) = delete;
  Answer& operator=(const Answer&) = delete;

  // What is left to send.
  Serializer& serializer() { return serializer_; }

 private:
  ByteCharge charge_;  // given back when the message is gone
  Message message_;
  Serializer serializer_;
};

}  // namespace embedding::http
