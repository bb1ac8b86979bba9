#include "http/connection.h"

#include <memory>
#include <utility>

#include "http/stream_connection.h"

namespace embedding::http {

std::shared_ptr<Connection> MakeConnection(Socket socket, asio::ssl::context* tls, Shared& shared) {
  if (tls == nullptr) return std::make_shared<StreamConnection<Socket>>(std::move(socket), shared);
  return std::make_shared<StreamConnection<TlsStream>>(TlsStream(std::move(socket), *tls), shared);
}

}  // namespace embedding::http
