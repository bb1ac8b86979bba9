// The connection over TLS: over a socket and over Beast's stream.
#include <gtest/gtest.h>
#include <openssl/evp.h>
#include <openssl/x509.h>

#include <atomic>
#include <cstdint>
#include <future>
#include <memory>
#include <string>
#include <thread>
#include <utility>

#include "http/client.h"
#include "http/stream_connection.h"

#include <boost/asio/ssl/context.hpp>
#include <boost/asio/ssl/stream.hpp>
#include <boost/beast/core/tcp_stream.hpp>

namespace embedding::http {

template <>
struct Transport<beast::tcp_stream> {
  static tcp::socket& SocketOf(beast::tcp_stream& stream) { return stream.socket(); }
};

namespace {

// A server's context with a certificate that it has made and signed itself.
asio::ssl::context SelfSigned() {
  EVP_PKEY* const key = EVP_EC_gen("P-256");
  X509* const certificate = X509_new();
  X509_set_version(certificate, 2);
  ASN1_INTEGER_set(X509_get_serialNumber(certificate), 1);
  X509_gmtime_adj(X509_getm_notBefore(certificate), 0);
  constexpr long kHour = 3600;
  X509_gmtime_adj(X509_getm_notAfter(certificate), kHour);
  X509_set_pubkey(certificate, key);
  X509_sign(certificate, key, EVP_sha256());
  asio::ssl::context context(asio::ssl::context::tls_server);
  EXPECT_EQ(SSL_CTX_use_certificate(context.native_handle(), certificate), 1);
  EXPECT_EQ(SSL_CTX_use_PrivateKey(context.native_handle(), key), 1);
  X509_free(certificate);
  EVP_PKEY_free(key);
  return context;
}

// A client that speaks TLS and waits for what it is told.
class TlsClient {
 public:
  explicit TlsClient(uint16_t port) : stream_(io_, context_) {
    stream_.next_layer().connect({asio::ip::address_v4::loopback(), port});
    stream_.handshake(asio::ssl::stream_base::client);
  }

  void Send(const std::string& bytes) { asio::write(stream_, asio::buffer(bytes)); }

  // Until what has come ends with `end`, or the server has closed.
  std::string ReadUntil(const std::string& end) {
    std::string received;
    char buffer[4096];
    error_code error;
    while (!received.ends_with(end)) {
      const size_t n = stream_.read_some(asio::buffer(buffer), error);
      if (error) break;
      received.append(buffer, n);
    }
    return received;
  }

 private:
  asio::io_context io_;
  asio::ssl::context context_{asio::ssl::context::tls_client};
  asio::ssl::stream<tcp::socket> stream_;
};

// Serves connections over Stream, one after another, until it is destroyed.
template <typename Stream>
class TlsTest : public ::testing::Test {
 protected:
  TlsTest() {
    Accept();
    thread_ = std::thread([this] { io_.run(); });
  }
  ~TlsTest() override {
    io_.stop();
    thread_.join();
    held_.reset();  // which answers it, while there is an io_context to take that
  }

  void Accept() {
    acceptor_.async_accept([this](const error_code& error, tcp::socket socket) {
      if (error) return;
      std::make_shared<StreamConnection<Stream>>(Stream(std::move(socket), context_), shared_)
          ->Serve();
      Accept();
    });
  }

  uint16_t port() { return acceptor_.local_endpoint().port(); }

  // The last request to /held, which waits until its client leaves.
  std::shared_ptr<Responder> held_;
  std::promise<std::shared_ptr<const std::atomic<bool>>> cancelled_;

  Handler handler_ = AfterBody([this](const Request& request, Responder responder) {
    if (request.target == "/held") {
      held_ = std::make_shared<Responder>(std::move(responder));
      return cancelled_.set_value(request.cancelled);
    }
    responder.Answer({.body = '<' + request.target + ':' + request.body + '>'});
  });
  Shared shared_{.io = io_,
                 .application = {.handler = handler_},
                 .payload_limit_bytes = 1'000'000,
                 .bodies = ByteBudget(2'000'000)};
  asio::ssl::context context_ = SelfSigned();
  // After what the connections use: destroying it ends those that are left.
  asio::io_context io_{1};
  tcp::acceptor acceptor_{io_, {asio::ip::address_v4::loopback(), 0}};
  std::thread thread_;
};

using Streams = ::testing::Types<TlsStream, asio::ssl::stream<beast::tcp_stream>>;
TYPED_TEST_SUITE(TlsTest, Streams);

std::string Post(const std::string& body, const std::string& headers = "") {
  return "POST /a HTTP/1.1\r\nHost: h\r\n" + headers +
         "Content-Length: " + std::to_string(body.size()) + "\r\n\r\n" + body;
}

TYPED_TEST(TlsTest, AnswersOneRequestAfterAnother) {
  TlsClient client(this->port());
  for (const std::string& body : {std::string("one"), std::string(500'000, 'x'), std::string()}) {
    client.Send(Post(body));
    const std::string answer = client.ReadUntil("</a:" + body + '>');
    EXPECT_TRUE(answer.starts_with("HTTP/1.1 200 OK\r\n")) << answer.substr(0, 200);
    EXPECT_TRUE(answer.ends_with("</a:" + body + '>'));
  }
  client.Send(Post("first") + Post("second"));  // pipelined
  EXPECT_TRUE(client.ReadUntil("</a:second>").ends_with("</a:second>"));
}

TYPED_TEST(TlsTest, ClosesWhenItHasSaidSo) {
  TlsClient client(this->port());
  client.Send(Post("last", "Connection: close\r\n"));
  EXPECT_TRUE(client.ReadUntil("never sent").ends_with("</a:last>"));
  TlsClient refused(this->port());
  refused.Send("nonsense\r\n\r\n");
  EXPECT_TRUE(refused.ReadUntil("never sent").starts_with("HTTP/1.1 400 "));
}

TYPED_TEST(TlsTest, ARequestIsCancelledWhenItsClientLeaves) {
  std::shared_ptr<const std::atomic<bool>> cancelled;
  {
    TlsClient client(this->port());
    client.Send("GET /held HTTP/1.1\r\nHost: h\r\n\r\n");
    cancelled = this->cancelled_.get_future().get();
    EXPECT_FALSE(*cancelled);
  }
  while (!*cancelled) std::this_thread::yield();
}

TYPED_TEST(TlsTest, WhoSpeaksNoTlsIsNotAnswered) {
  Client plain(this->port());
  plain.Send("GET /a HTTP/1.1\r\nHost: h\r\n\r\n");
  EXPECT_EQ(plain.ReadAll().find("HTTP/"), std::string::npos);
  TlsClient next(this->port());
  next.Send(Post("next"));
  EXPECT_TRUE(next.ReadUntil("</a:next>").ends_with("</a:next>"));
}

}  // namespace
}  // namespace embedding::http
