// Who may ask: those who send one of the server's keys.
#pragma once

#include <span>
#include <string>

#include "api/http.h"
#include "base/result.h"

namespace embedding::api {

// Whether the request has one of `keys`, as `X-API-Key: <key>` or `Authorization: Bearer <key>`.
// Everybody may ask where there are no keys. How long it takes does not tell how much of a wrong
// key is right. Errors: kUnauthorized.
Status CheckApiKey(std::span<const std::string> keys, const Request& request);

}  // namespace embedding::api
