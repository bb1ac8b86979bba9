// Framing: what RFC 9112 asks of a request's header, for its body to begin and end where whoever
// passed it on thinks it does. What is refused here is what two servers might read in two ways.
//
// Pure functions; any thread.
#pragma once

#include <optional>
#include <string>
#include <string_view>

#include "http/refusal.h"

#include <boost/beast/http/fields.hpp>
#include <boost/beast/http/message.hpp>

namespace embedding::http {

using RequestHeader = boost::beast::http::request_header<>;

// Whether the header's rules about Host, Transfer-Encoding, Content-Length and Content-Encoding are
// kept, and its target has a form that its method may have. If not, the connection must be closed,
// since where the next request begins is not known: kBadRequest; kNotImplemented for a transfer
// coding besides chunked; kUnsupportedMediaType for a compressed body.
std::optional<Refusal> CheckFraming(const RequestHeader& header);

// That a request is not valid HTTP.
Refusal Malformed(const std::string& reason);

// The path and query of a target in origin-form or absolute-form (RFC 9112, 3.2): those of
// "/a?b" and "http://host/a?b" are "/a?b".
std::string PathAndQuery(std::string_view target);

}  // namespace embedding::http
