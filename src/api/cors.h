// CORS: whom a browser lets read the answers, by the Fetch standard.
//
// Origins are those of --cors-origin: "https://example.com", "http://localhost:3000", "null" (a
// page from a file), or "*" for every one. Without any, no answer has a header of this.
#pragma once

#include <span>
#include <string>
#include <string_view>

#include "api/http.h"

namespace embedding::api {

// Whether `text` is "*" or an origin as browsers send it: scheme://host or scheme://host:port in
// lower case, without the scheme's own port and without a path; or "null".
bool IsOrigin(std::string_view text);

// Adds what lets a page of `origin`, the request's Origin, read the answer and its headers. Any
// answer: errors too.
void AllowOrigin(std::span<const std::string> origins, std::string_view origin, Response& response);

// Whether the browser asks with it what its page may send.
bool IsPreflight(const Request& request);

// Adds to the answer to a preflight that the page may send `methods` ("GET, HEAD") and the headers
// that it asks for. AllowOrigin says which pages.
void AllowRequest(const Request& preflight, const std::string& methods, Response& response);

}  // namespace embedding::api
