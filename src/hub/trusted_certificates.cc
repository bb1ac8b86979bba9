#include "hub/trusted_certificates.h"

#include <unistd.h>

#include <string>

#include "hub/hub_environment.h"

namespace embedding {

#ifdef __APPLE__

void TrustTheSystem(CURL* curl) {
  const std::string file = ReadVariable("SSL_CERT_FILE");
  const std::string directory = ReadVariable("SSL_CERT_DIR");
  if (!file.empty()) curl_easy_setopt(curl, CURLOPT_CAINFO, file.c_str());
  if (!directory.empty()) curl_easy_setopt(curl, CURLOPT_CAPATH, directory.c_str());
}

#elif defined(EMBEDDING_STATIC)

void TrustTheSystem(CURL* curl) {
  // libcurl's OpenSSL reads these itself.
  if (!ReadVariable("SSL_CERT_FILE").empty() || !ReadVariable("SSL_CERT_DIR").empty()) return;
  for (const char* file : {
           "/etc/ssl/certs/ca-certificates.crt",                 // Debian, Ubuntu, Arch, Gentoo
           "/etc/pki/tls/certs/ca-bundle.crt",                   // Fedora, RHEL, Amazon Linux
           "/etc/pki/ca-trust/extracted/pem/tls-ca-bundle.pem",  // those without the former
           "/etc/ssl/ca-bundle.pem",                             // openSUSE
           "/etc/ssl/cert.pem",                                  // OpenWrt
       }) {
    if (access(file, R_OK) != 0) continue;
    curl_easy_setopt(curl, CURLOPT_CAINFO, file);
    return;
  }
}

#else

void TrustTheSystem(CURL* /*curl*/) {}

#endif

}  // namespace embedding
