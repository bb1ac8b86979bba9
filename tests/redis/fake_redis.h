// A Redis with a few commands, over a loopback port, that fails as the test says. It keeps what is
// SET.
#pragma once

#include <gtest/gtest.h>
#include <netinet/in.h>
#include <sys/socket.h>
#include <unistd.h>

#include <atomic>
#include <csignal>
#include <map>
#include <optional>
#include <string>
#include <thread>
#include <utility>
#include <vector>

#include "base/mutex.h"

namespace embedding {

class FakeRedis {
 public:
  enum class Mood {
    kFine,
    kSilent,     // reads, and answers nothing
    kClosing,    // closes at the next command
    kRefusing,   // every reply is an error, but that to PING, which those who connect ask
    kGibberish,  // what it replies to MGET is no reply to that
  };

  FakeRedis() : listener_(::socket(AF_INET, SOCK_STREAM, 0)) {
    std::signal(SIGPIPE, SIG_IGN);  // as the server does
    address_.sin_family = AF_INET;
    address_.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    socklen_t size = sizeof(address_);
    auto* const any = reinterpret_cast<sockaddr*>(&address_);
    EXPECT_EQ(::bind(listener_, any, size), 0);
    EXPECT_EQ(::listen(listener_, 64), 0);
    EXPECT_EQ(::getsockname(listener_, any, &size), 0);
    acceptor_ = std::thread([this] { Accept(); });
  }
  ~FakeRedis() {
    ending_ = true;
    const int last = ::socket(AF_INET, SOCK_STREAM, 0);  // wakes the acceptor
    EXPECT_EQ(::connect(last, reinterpret_cast<sockaddr*>(&address_), sizeof(address_)), 0);
    acceptor_.join();
    ::close(last);
    ::close(listener_);
    {
      const MutexLock lock(mutex_);
      for (const int socket : sockets_) ::shutdown(socket, SHUT_RDWR);
    }
    for (std::thread& thread : threads_) thread.join();
    for (const int socket : sockets_) ::close(socket);
  }

  int port() const { return ntohs(address_.sin_port); }
  size_t commands(const std::string& name) {
    const MutexLock lock(mutex_);
    return counts_[name];
  }
  size_t entries() {
    const MutexLock lock(mutex_);
    return values_.size();
  }

  std::atomic<Mood> mood = Mood::kFine;

 private:
  void Accept() {
    for (int socket = 0; (socket = ::accept(listener_, nullptr, nullptr)) >= 0;) {
      if (ending_) {
        ::close(socket);
        return;
      }
      const MutexLock lock(mutex_);
      sockets_.push_back(socket);
      threads_.emplace_back([this, socket] { Serve(socket); });
    }
  }

  void Serve(int socket) {
    std::string input;
    char bytes[4096];
    for (ssize_t got = 0; (got = ::read(socket, bytes, sizeof(bytes))) > 0;) {
      input.append(bytes, static_cast<size_t>(got));
      while (const auto command = Take(input)) {
        if (mood == Mood::kClosing) {
          ::shutdown(socket, SHUT_RDWR);
          return;
        }
        const std::string reply = Reply(*command);
        if (::write(socket, reply.data(), reply.size()) < 0) return;
      }
    }
  }

  // The first whole command: *2\r\n$3\r\nGET\r\n$1\r\nk\r\n.
  static std::optional<std::vector<std::string>> Take(std::string& input) {
    size_t at = 0;
    const auto number = [&]() -> std::optional<size_t> {
      const size_t end = input.find("\r\n", at);
      if (end == std::string::npos) return std::nullopt;
      const size_t value = std::stoul(input.substr(at + 1, end - at - 1));
      at = end + 2;
      return value;
    };
    const auto count = number();
    if (!count) return std::nullopt;
    std::vector<std::string> words;
    for (size_t i = 0; i < *count; ++i) {
      const auto size = number();
      if (!size || input.size() < at + *size + 2) return std::nullopt;
      words.push_back(input.substr(at, *size));
      at += *size + 2;
    }
    input.erase(0, at);
    return words;
  }

  std::string Reply(const std::vector<std::string>& words) {
    const MutexLock lock(mutex_);
    // Whether it answers an MGET at all is asked by this name, which nothing is kept under.
    if (words != std::vector<std::string>{"MGET", "embedding:"}) ++counts_[words[0]];
    if (mood == Mood::kSilent) return "";
    if (words[0] == "PING") return "+PONG\r\n";
    if (mood == Mood::kRefusing) return "-OOM command not allowed\r\n";
    if (words[0] == "SET") {
      values_[words[1]] = words[2];
      return "+OK\r\n";
    }
    if (words[0] != "MGET") return "-ERR unknown command\r\n";
    if (mood == Mood::kGibberish) return ":1\r\n";
    std::string reply = '*' + std::to_string(words.size() - 1) + "\r\n";
    for (size_t i = 1; i < words.size(); ++i) {
      const auto value = values_.find(words[i]);
      if (value == values_.end()) {
        reply += "$-1\r\n";
      } else {
        reply += '$' + std::to_string(value->second.size()) + "\r\n" + value->second + "\r\n";
      }
    }
    return reply;
  }

  const int listener_;
  sockaddr_in address_ = {};
  std::atomic<bool> ending_ = false;
  std::thread acceptor_;
  Mutex mutex_;
  std::vector<int> sockets_;  // the acceptor's, until it has ended
  std::vector<std::thread> threads_;
  std::map<std::string, std::string> values_ GUARDED_BY(mutex_);
  std::map<std::string, size_t> counts_ GUARDED_BY(mutex_);
};

}  // namespace embedding
