// What TLS connections are opened with: a certificate and its key, versions 1.2 and 1.3.
#pragma once

#include <memory>
#include <string>

#include "base/result.h"

#include <boost/asio/ssl/context.hpp>

namespace embedding::http {

// Files in PEM. Of several certificates the first is the server's, those after it lead to who has
// signed it.
struct TlsFiles {
  std::string certificate;
  std::string key;

  bool empty() const { return certificate.empty(); }
};

// Errors: kInvalidArgument: a file cannot be read or used, or the key is another certificate's. A
// certificate whose time has passed, or has not come, is taken with a warning.
Result<std::shared_ptr<boost::asio::ssl::context>> LoadTls(const TlsFiles& files);

}  // namespace embedding::http
