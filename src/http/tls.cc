#include "http/tls.h"

#include <fmt/format.h>
#include <openssl/err.h>
#include <openssl/ssl.h>
#include <openssl/x509.h>
#include <spdlog/spdlog.h>

#include <cerrno>
#include <fstream>
#include <string_view>
#include <system_error>

#include "base/quoted.h"

namespace embedding::http {
namespace {

namespace ssl = boost::asio::ssl;

// What OpenSSL says last, which is the most general; its codes are for its authors.
std::string Reason() {
  const unsigned long code = ERR_peek_last_error();
  ERR_clear_error();
  const char* reason = ERR_reason_error_string(code);
  return reason == nullptr ? "it is not PEM" : reason;
}

template <typename... Args>
Error Wrong(fmt::format_string<Args...> format, Args&&... args) {
  return {ErrorCode::kInvalidArgument, fmt::format(format, std::forward<Args>(args)...), {}};
}

Status CheckReadable(const char* option, const std::string& path) {
  errno = 0;
  std::ifstream file(path);
  if (file && file.peek() != std::ifstream::traits_type::eof()) return {};
  return Wrong("{}: cannot read {}: {}", option, Quoted(path),
               errno == 0 ? "it is empty" : std::generic_category().message(errno));
}

// Nobody is there to be asked for a passphrase, which OpenSSL would do on the terminal.
int NoPassphrase(char* /*buffer*/, int /*size*/, int /*writing*/, void* asked) {
  *static_cast<bool*>(asked) = true;
  return -1;
}

// "http/1.1" of what a client offers, which may be h2 too; none of it is no error.
int ChooseProtocol(SSL* /*ssl*/, const unsigned char** chosen, unsigned char* size,
                   const unsigned char* offered, unsigned offered_size, void* /*unused*/) {
  static constexpr unsigned char kHttp11[] = "\x08http/1.1";
  unsigned char* found = nullptr;
  const int match =
      SSL_select_next_proto(&found, size, kHttp11, sizeof(kHttp11) - 1, offered, offered_size);
  if (match != OPENSSL_NPN_NEGOTIATED) return SSL_TLSEXT_ERR_NOACK;
  *chosen = found;
  return SSL_TLSEXT_ERR_OK;
}

void WarnOfDates(SSL_CTX* context, const std::string& path) {
  const X509* certificate = SSL_CTX_get0_certificate(context);
  if (certificate == nullptr) return;
  if (X509_cmp_current_time(X509_get0_notAfter(certificate)) < 0) {
    spdlog::warn("{}: the certificate's time has passed; clients will refuse it", Quoted(path));
  } else if (X509_cmp_current_time(X509_get0_notBefore(certificate)) > 0) {
    spdlog::warn("{}: the certificate's time has not come; clients will refuse it", Quoted(path));
  }
}

}  // namespace

Result<std::shared_ptr<ssl::context>> LoadTls(const TlsFiles& files) {
  RETURN_IF_ERROR(CheckReadable("--tls-certificate", files.certificate));
  RETURN_IF_ERROR(CheckReadable("--tls-key", files.key));
  const auto context = std::make_shared<ssl::context>(ssl::context::tls_server);
  SSL_CTX* const native = context->native_handle();
  SSL_CTX_set_min_proto_version(native, TLS1_2_VERSION);
  SSL_CTX_set_options(native, SSL_OP_NO_RENEGOTIATION | SSL_OP_NO_COMPRESSION);
  // Memory of idle connections; OpenSSL takes 34 KB for each otherwise.
  SSL_CTX_set_mode(native, SSL_MODE_RELEASE_BUFFERS);
  SSL_CTX_set_alpn_select_cb(native, ChooseProtocol, nullptr);
  if (SSL_CTX_use_certificate_chain_file(native, files.certificate.c_str()) != 1) {
    return Wrong(
        "--tls-certificate: cannot use {}: {}; expected certificates in PEM, the server's "
        "first",
        Quoted(files.certificate), Reason());
  }
  bool asked = false;
  SSL_CTX_set_default_passwd_cb(native, NoPassphrase);
  SSL_CTX_set_default_passwd_cb_userdata(native, &asked);
  const int taken = SSL_CTX_use_PrivateKey_file(native, files.key.c_str(), SSL_FILETYPE_PEM);
  SSL_CTX_set_default_passwd_cb(native, nullptr);
  SSL_CTX_set_default_passwd_cb_userdata(native, nullptr);  // which Asio would take for its own
  if (asked) {
    ERR_clear_error();
    return Wrong(
        "--tls-key: {} is protected by a passphrase, which nobody is there to type; "
        "openssl pkey -in FILE -out NEWFILE takes it away",
        Quoted(files.key));
  }
  if (taken != 1 || SSL_CTX_check_private_key(native) != 1) {
    const std::string reason = Reason();
    if (reason.find("mismatch") != std::string::npos) {
      return Wrong("--tls-key: {} is not the key of the certificate in {}", Quoted(files.key),
                   Quoted(files.certificate));
    }
    return Wrong("--tls-key: cannot use {}: {}; expected a private key in PEM", Quoted(files.key),
                 reason);
  }
  WarnOfDates(native, files.certificate);
  return context;
}

}  // namespace embedding::http
