// CORS: whom a browser lets read the answers, by the Fetch standard.
//
// Origins are "https://example.com", "http://localhost:3000", "null" (a
// page from a file), or "*" for every one. Without any, no answer has a header of this.
#pragma once

#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "http/handler.h"
#include "http/message.h"

namespace embedding::http {

// Whether `text` is "*" or an origin as browsers send it: scheme://host or scheme://host:port in
// lower case, without the scheme's own port and without a path; or "null".
bool IsOrigin(std::string_view text);

// Adds what lets a page of `origin`, the request's Origin, read the answer and its headers. Any
// answer: refusals too.
void AllowOrigin(std::span<const std::string> origins, std::string_view origin, Response& response);

// Does that to every answer, and tells a browser that asks in a preflight what the page may send:
// the methods that the answer's Allow names, and the headers that it asks for.
Middleware Cors(std::vector<std::string> origins);

}  // namespace embedding::http
