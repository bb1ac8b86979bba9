// RequestReader: bytes in, one request out. It knows no sockets: who reads them gives it what has
// come, in whatever pieces.
//
//   RequestReader reader(payload_limit, budget);
//   reader.TakeHeader(buffer)   // until it is kDone; then reader.header() says what came
//   reader.TakeBody(buffer)     // until it is kDone; then reader.TakeBodyInto(request)
//
// Not thread-safe. Throws std::bad_alloc; the reader is of no use then.
#pragma once

#include <cstddef>
#include <string>
#include <utility>

#include "embedding/byte_budget.h"
#include "http/charged_body.h"
#include "http/message.h"
#include "http/refusal.h"

#include <boost/beast/core/flat_buffer.hpp>
#include <boost/beast/http/parser.hpp>

namespace embedding::http {

// Cookies and proxies' headers together stay below it; Node and Apache Tomcat draw the same order.
inline constexpr size_t kMaxHeaderBytes = 16 * 1024;

// Drops the empty lines that some clients send after a request's body, or before a request (RFC
// 9112, 2.2), and gives whether anything is left.
bool SkipEmptyLines(boost::beast::flat_buffer& buffer);

enum class Progress {
  kMore,     // call again with more
  kDone,     // the header, or the body, is complete
  kRefused,  // refusal() says why; the connection must be closed
};

class RequestReader {
 public:
  // The body is `payload_limit` bytes at most, its memory is taken from `budget`, which must
  // outlive the reader and the request.
  RequestReader(size_t payload_limit, ByteBudget& budget);

  // Both take from the front of `buffer` what belongs to the request, and leave what comes after
  // it. Refused is what framing.h refuses, and with kHeaderTooLarge what is beyond kMaxHeaderBytes,
  // with kPayloadTooLarge a body beyond the limit, with kServiceUnavailable one that the budget has
  // nothing left for.
  Progress TakeHeader(boost::beast::flat_buffer& buffer);
  Progress TakeBody(boost::beast::flat_buffer& buffer);

  // Once one of them was refused.
  const Refusal& refusal() const { return refusal_; }

  // What follows is there once the header is complete. Of a request that failed before, some of it
  // may be empty.
  const Request& header() const { return request_; }  // without its body
  unsigned version() const { return version_; }       // 10 for HTTP/1.0, 11 for HTTP/1.1
  bool keep_alive() const { return keep_alive_; }     // as the client wants it
  bool expects_continue() const { return expects_continue_; }
  bool has_body() const { return has_body_; }

  size_t body_bytes() const { return parser_.get().body().bytes.size(); }  // that have come

  // The request, which goes without its body until that is complete.
  Request TakeHead() { return std::move(request_); }
  void TakeBodyInto(Request& request);

 private:
  Progress Refuse(Refusal refusal);
  Refusal RefusalOf(const boost::system::error_code& error) const;

  const size_t payload_limit_;
  ByteBudget& budget_;
  boost::beast::http::request_parser<ChargedBody> parser_;
  size_t searched_ = 0;  // bytes of the buffer in which the header does not end
  Request request_;
  Refusal refusal_;
  unsigned version_ = 11;
  bool keep_alive_ = false;
  bool expects_continue_ = false;
  bool has_body_ = false;
};

}  // namespace embedding::http
