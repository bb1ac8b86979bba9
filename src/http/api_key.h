// Who may ask: those who send one of the server's keys.
#pragma once

#include <string>
#include <vector>

#include "http/handler.h"
#include "http/refusal.h"

namespace embedding::http {

// Lets through what has one of `keys`, as `X-API-Key: <key>` or `Authorization: Bearer <key>`; the
// rest is refused (401). Everybody may ask where there are no keys. How long it takes does not tell
// how much of a wrong key is right.
Middleware RequireKey(std::vector<std::string> keys, WordRefusal word);

}  // namespace embedding::http
