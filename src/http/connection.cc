#include "http/connection.h"

#include <memory>
#include <utility>

#include "http/stream_connection.h"

namespace embedding::http {

std::shared_ptr<Connection> MakeConnection(tcp::socket socket, Shared& shared) {
  return std::make_shared<StreamConnection<tcp::socket>>(std::move(socket), shared);
}

}  // namespace embedding::http
