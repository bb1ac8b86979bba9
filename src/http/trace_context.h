// W3C Trace Context: what ties a request to the trace of whoever sent it.
//
// Pure functions; any thread.
#pragma once

#include <string_view>

namespace embedding::http {

// The trace id of a `traceparent` header, 32 hexadecimal digits in lower case, which lie in it; ""
// for one that is malformed, or that came more than once.
std::string_view TraceIdOf(std::string_view traceparent);

}  // namespace embedding::http
