// Transport: what a connection asks of the stream that it runs over, besides Asio's async_read_some
// and async_write_some.
//
// Over TLS a connection runs as it does over a socket: with
//   template <> struct Transport<asio::ssl::stream<tcp::socket>> { SocketOf, Open, EndSending };
// StreamConnection<asio::ssl::stream<tcp::socket>> is what serves it (tests/http/tls_test.cc does,
// over a socket and over a beast::tcp_stream).
#pragma once

#include "http/asio.h"

namespace embedding::http {

template <typename Stream>
struct Transport;

template <>
struct Transport<tcp::socket> {
  // What is cancelled and closed.
  static tcp::socket& SocketOf(tcp::socket& stream) { return stream; }

  // Calls done(error) when a request may be read: after the handshake, where there is one.
  template <typename Done>
  static void Open(tcp::socket& /*stream*/, Done done) {
    done(error_code());
  }

  // Tells the client that no more will come, then calls done(error).
  template <typename Done>
  static void EndSending(tcp::socket& stream, Done done) {
    error_code error;
    stream.shutdown(tcp::socket::shutdown_send, error);
    done(error);
  }
};

}  // namespace embedding::http
