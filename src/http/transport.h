// Transport: what a connection asks of the stream that it runs over, besides Asio's async_read_some
// and async_write_some: of a socket, and of TLS over another stream.
#pragma once

#include <utility>

#include "http/asio.h"

#include <boost/asio/ssl/stream.hpp>

namespace embedding::http {

using TlsStream = asio::ssl::stream<Socket>;

template <typename Stream>
struct Transport;

template <>
struct Transport<Socket> {
  // What is cancelled and closed.
  static Socket& SocketOf(Socket& stream) { return stream; }

  // Calls done(error) when a request may be read: after the handshake, where there is one.
  template <typename Done>
  static void Open(Socket& /*stream*/, Done done) {
    done(error_code());
  }

  // Tells the client that no more will come, then calls done(error).
  template <typename Done>
  static void EndSending(Socket& stream, Done done) {
    error_code error;
    stream.shutdown(Socket::shutdown_send, error);
    done(error);
  }
};

template <typename Next>
struct Transport<asio::ssl::stream<Next>> {
  using Stream = asio::ssl::stream<Next>;

  static auto& SocketOf(Stream& stream) { return Transport<Next>::SocketOf(stream.next_layer()); }

  template <typename Done>
  static void Open(Stream& stream, Done done) {
    stream.async_handshake(Stream::server, std::move(done));
  }

  template <typename Done>
  static void EndSending(Stream& stream, Done done) {
    stream.async_shutdown(std::move(done));
  }
};

}  // namespace embedding::http
