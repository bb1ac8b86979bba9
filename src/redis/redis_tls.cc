#include "redis/redis_tls.h"

#ifdef EMBEDDING_REDIS_TLS

#include <fmt/format.h>
#include <hiredis/hiredis.h>
#include <hiredis/hiredis_ssl.h>
#include <openssl/err.h>
#include <openssl/ssl.h>
#include <openssl/x509v3.h>

namespace embedding {
namespace {

// Its certificates are read once.
SSL_CTX* Context() {
  static SSL_CTX* const context = [] {
    SSL_CTX* const made = SSL_CTX_new(TLS_client_method());
    if (made == nullptr) return made;
    SSL_CTX_set_min_proto_version(made, TLS1_2_VERSION);
    SSL_CTX_set_default_verify_paths(made);
    SSL_CTX_set_verify(made, SSL_VERIFY_PEER, nullptr);
    return made;
  }();
  return context;
}

Error Failed(const RedisAddress& address, const char* what) {
  return {ErrorCode::kUnavailable, fmt::format("{}: {}", address.Shown(), what), {}};
}

}  // namespace

Status BeginTls(redisContext& connection, const RedisAddress& address) {
  SSL* const ssl = Context() == nullptr ? nullptr : SSL_new(Context());
  if (ssl == nullptr) return Failed(address, "TLS cannot be begun: out of memory");
  // One of the two takes it: an address is no name, and is not sent as one.
  const bool is_address =
      X509_VERIFY_PARAM_set1_ip_asc(SSL_get0_param(ssl), address.host.c_str()) == 1;
  if (!is_address && (SSL_set1_host(ssl, address.host.c_str()) != 1 ||
                      SSL_set_tlsext_host_name(ssl, address.host.c_str()) != 1)) {
    SSL_free(ssl);
    return Failed(address, "TLS cannot be begun with that host's name");
  }
  // From here on it is the connection's, if it takes it.
  if (redisInitiateSSL(&connection, ssl) != REDIS_OK) {
    const char* const why = connection.err != 0 ? connection.errstr : "TLS cannot be begun";
    return Failed(address, why);
  }
  return {};
}

}  // namespace embedding

#else

namespace embedding {

Status BeginTls(redisContext& /*connection*/, const RedisAddress& address) {
  return Error{ErrorCode::kUnavailable, address.Shown() + ": this build has no TLS for Redis", {}};
}

}  // namespace embedding

#endif
