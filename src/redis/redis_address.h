// Where a Redis is, and who asks it: redis://[user:password@]host[:port][/database], or rediss://
// for TLS. (Valkey and whatever else speaks its protocol is a Redis here.)
#pragma once

#include <string>
#include <string_view>

#include "base/result.h"

namespace embedding {

struct RedisAddress {
  std::string host;
  int port = 6379;
  int database = 0;
  bool tls = false;
  std::string user;  // with a password only; the default one if empty
  std::string password;

  // The URL without user and password: what logs and errors call it.
  std::string Shown() const;
};

// Whether the text means to be one.
bool IsRedisUrl(std::string_view text);

// User and password may be percent-encoded. Errors: kInvalidArgument, never with user or password
// in them; for rediss:// too, where this build has no TLS for it.
Result<RedisAddress> ParseRedisUrl(std::string_view url);

}  // namespace embedding
