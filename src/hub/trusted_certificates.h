// Which certificates libcurl believes where it does not know by itself: one that was built for no
// system in particular (EMBEDDING_STATIC), for distributions keep the file in different places; and
// a Mac's, which knows the system's but not the variables. Another system's own libcurl knows both.
// Thread-safety: any thread, while none changes the environment.
#pragma once

#include <curl/curl.h>

namespace embedding {

// $SSL_CERT_FILE and $SSL_CERT_DIR go before the system's file, as with every program that uses
// OpenSSL.
void TrustTheSystem(CURL* curl);

}  // namespace embedding
