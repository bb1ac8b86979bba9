// Accept: what form of answer a client wants (RFC 9110, 12.5.1).
#pragma once

#include <string_view>

namespace embedding::api {

inline constexpr char kOctetStream[] = "application/octet-stream";

// Whether the header asks for raw bytes rather than for JSON: it names them, with a weight above 0
// that is no less than JSON's; of equals the one that comes first. Whatever else it asks for or
// excludes, the answer is JSON.
bool PrefersBytes(std::string_view accept);

// The same of a page: what browsers ask for, and nobody else.
bool PrefersHtml(std::string_view accept);

// Whether Accept-Encoding allows gzip (12.5.3). Without the header an answer is sent as it is.
bool TakesGzip(std::string_view accept_encoding);

}  // namespace embedding::api
