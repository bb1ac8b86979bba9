// Who may ask how much: what of a configuration can be replaced while the server runs.
#pragma once

#include <vector>

#include "app/configuration.h"
#include "base/result.h"
#include "http/api_keys.h"
#include "http/rate_limiter.h"

namespace embedding::app {

struct Access {
  std::vector<http::ApiKey> keys;
  http::RateLimits limits;
};

// The keys of --api-key, which are named key-1, key-2 and so on in their order, and those of
// --api-keys-file, which is read anew each time; the limits of --rate-limit-requests and
// --rate-limit-tokens, and those of single keys. Errors: kInvalidArgument.
Result<Access> ReadAccess(const Configuration& configuration);

}  // namespace embedding::app
