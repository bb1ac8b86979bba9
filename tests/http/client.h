// A client of HTTP that the tests write themselves.
#pragma once

#include <arpa/inet.h>
#include <gtest/gtest.h>
#include <netinet/in.h>
#include <sys/socket.h>
#include <unistd.h>

#include <cstdint>
#include <string>
#include <string_view>

#include "http/server.h"

namespace embedding::http {

// A client that says exactly what a test wants it to say.
class Client {
 public:
  // Over the loopback of a family, AF_INET or AF_INET6.
  explicit Client(uint16_t port, int family = AF_INET) : fd_(::socket(family, SOCK_STREAM, 0)) {
    if (family == AF_INET6) {
      sockaddr_in6 address = {};
      address.sin6_family = AF_INET6;
      address.sin6_port = htons(port);
      address.sin6_addr = in6addr_loopback;
      EXPECT_EQ(::connect(fd_, reinterpret_cast<sockaddr*>(&address), sizeof(address)), 0);
      return;
    }
    sockaddr_in address = {};
    address.sin_family = AF_INET;
    address.sin_port = htons(port);
    address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    EXPECT_EQ(::connect(fd_, reinterpret_cast<sockaddr*>(&address), sizeof(address)), 0);
  }
  ~Client() { Close(); }
  Client(const Client&) = delete;
  Client& operator=(const Client&) = delete;

  void Send(std::string_view bytes) { (void)::send(fd_, bytes.data(), bytes.size(), MSG_NOSIGNAL); }

  // Reads until what has come ends with `end`, or the server closes. Gives all that came.
  std::string ReadUntil(std::string_view end) {
    std::string received;
    char buffer[4096];
    while (!received.ends_with(end)) {
      const ssize_t n = ::recv(fd_, buffer, sizeof(buffer), 0);
      if (n <= 0) break;
      received.append(buffer, static_cast<size_t>(n));
    }
    return received;
  }
  // Reads what has come, or waits for the next; how many bytes, 0 if the server has closed.
  size_t ReadSome() {
    char buffer[65536];
    const ssize_t n = ::recv(fd_, buffer, sizeof(buffer), 0);
    return n > 0 ? static_cast<size_t>(n) : 0;
  }
  std::string ReadAll() { return ReadUntil(std::string_view("\0never sent\0", 12)); }

  void Close() {
    if (fd_ >= 0) ::close(fd_);
    fd_ = -1;
  }

 private:
  int fd_;
};

// Whether this machine has ::1.
inline bool HasIpv6() {
  const int fd = ::socket(AF_INET6, SOCK_STREAM, 0);
  sockaddr_in6 address = {};
  address.sin6_family = AF_INET6;
  address.sin6_addr = in6addr_loopback;
  const bool has =
      fd >= 0 && ::bind(fd, reinterpret_cast<sockaddr*>(&address), sizeof(address)) == 0;
  if (fd >= 0) ::close(fd);
  return has;
}

// Where a server on 127.0.0.1 listens.
inline uint16_t PortOf(const Server& server) {
  return static_cast<uint16_t>(
      std::stoi(server.url().substr(std::string_view("http://127.0.0.1:").size())));
}

}  // namespace embedding::http
