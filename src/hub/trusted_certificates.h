// Which certificates a libcurl believes that was built for no system in particular
// (EMBEDDING_STATIC): the system's, of which distributions keep the file in different places. A
// system's own libcurl knows its own. Thread-safety: any thread, while none changes the
// environment.
#pragma once

#include <curl/curl.h>

namespace embedding {

// $SSL_CERT_FILE and $SSL_CERT_DIR go before the system's file, as with every program that uses
// OpenSSL. Does nothing where libcurl is the system's.
void TrustTheSystem(CURL* curl);

}  // namespace embedding
