// TLS for a connection to Redis, where hiredis has that part (libhiredis_ssl).
#pragma once

#include <memory>

#include "base/result.h"
#include "redis/redis_address.h"

struct redisContext;

namespace embedding {

#ifdef EMBEDDING_REDIS_TLS
inline constexpr bool kRedisHasTls = true;
#else
inline constexpr bool kRedisHasTls = false;
#endif

// Begins TLS 1.2 or later on a connection; what follows is sent when the other side has proved by
// a certificate of the system's authorities, or of those that SSL_CERT_FILE and SSL_CERT_DIR name,
// that it is the host of that name. Errors: kUnavailable.
Status BeginTls(redisContext& connection, const RedisAddress& address);

}  // namespace embedding
