// Connection: one client's connection, and the requests that come over it one after another.
//
// Used on the server's I/O thread alone. It lives as long as an operation on its stream, or a
// request in hand, knows it.
#pragma once

#include <cstddef>
#include <functional>
#include <list>
#include <memory>

#include "embedding/byte_budget.h"
#include "http/asio.h"
#include "http/request_id.h"
#include "http/server.h"

#include <boost/asio/ssl/context.hpp>

namespace embedding::http {

class Connection {
 public:
  virtual ~Connection() = default;

  // Answers requests until either side wants the connection closed.
  virtual void Serve() = 0;

  // Sends one refusal instead.
  virtual void Refuse(const Refusal& refusal) = 0;

  // Closes it unless a request is in hand or on its way.
  virtual void CloseIfIdle() = 0;
};

// What all connections of a server share.
struct Shared {
  asio::io_context& io;
  Application application;
  size_t payload_limit_bytes = 0;
  ByteBudget bodies;  // of requests in hand and on their way
  Timeouts timeouts = {};
  RequestIds request_ids = {};
  bool draining = false;  // no more requests; see Server::Run
  bool leaving = false;   // one more request a connection
  // The connections that there are, refused ones aside.
  std::list<Connection*> connections = {};
  // Called when there is one less; does not throw.
  std::function<void()> on_closed = {};
};

// A connection over a socket, by TLS if there is a context for it, which is needed for this call
// alone.
std::shared_ptr<Connection> MakeConnection(Socket socket, asio::ssl::context* tls, Shared& shared);

}  // namespace embedding::http
