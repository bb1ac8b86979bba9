// A server with a handler that the tests control.
#pragma once

#include <gtest/gtest.h>

#include <atomic>
#include <cstdint>
#include <functional>
#include <memory>
#include <string>
#include <thread>
#include <utility>
#include <vector>

#include "base/mutex.h"
#include "http/client.h"
#include "http/server.h"

namespace embedding::http {

inline std::string Get(const std::string& target, const std::string& more_headers = "") {
  return "GET " + target + " HTTP/1.1\r\nHost: h\r\n" + more_headers + "\r\n";
}

inline std::string Post(const std::string& body) {
  return "POST /echo HTTP/1.1\r\nHost: h\r\nContent-Length: " + std::to_string(body.size()) +
         "\r\n\r\n" + body;
}

// Answers each request with "<target:body>"; those of /held wait until the test releases them.
class ServerTest : public ::testing::Test {
 protected:
  ~ServerTest() override {
    if (thread_.joinable()) (void)Finish();
  }

  void Start(ServerOptions options = {}) {
    options.port = 0;
    const Handler handle = [this](Request request, Responder responder) {
      // Shared because a std::function can be copied.
      auto answer = [responder = std::make_shared<Responder>(std::move(responder)),
                     body = '<' + request.target + ':' + request.body + '>'] {
        responder->Answer({.body = body});
      };
      if (request.target != "/held") {
        answer();
        answered_ = true;
        return;
      }
      MutexLock lock(mutex_);
      cancelled_ = request.cancelled;
      held_.push_back(std::move(answer));
      changed_.NotifyAll();
    };
    const WordRefusal word = [](const Refusal& refusal, const Request& request) {
      Response response = PlainRefusal(refusal, request);
      response.body = '{' + refusal.message + '}';
      return response;
    };
    auto server = Server::Listen(
        options, {.handler = AfterBody(handle), .word = word, .answered = answered_hook_});
    ASSERT_TRUE(server.ok()) << server.error().message;
    server_ = *std::move(server);
    port_ = PortOf(*server_);
    thread_ = std::thread([this] { status_ = server_->Run(); });
  }

  void WaitForHeld(size_t count) {
    MutexLock lock(mutex_);
    while (held_.size() < count) changed_.Wait(mutex_);
  }

  void Release() {
    std::vector<std::function<void()>> answers;
    {
      MutexLock lock(mutex_);
      answers.swap(held_);
    }
    for (const auto& answer : answers) answer();
  }

  // Lets them go without an answer.
  void Drop() {
    std::vector<std::function<void()>> answers;
    MutexLock lock(mutex_);
    answers.swap(held_);
  }

  // Of the last request that was held: whether its client has gone.
  std::shared_ptr<const std::atomic<bool>> cancelled() {
    MutexLock lock(mutex_);
    return cancelled_;
  }
  bool answered() const { return answered_; }

  // Stops the server and gives what Run gave.
  Status Finish() {
    server_->Stop();
    thread_.join();
    return status_;
  }

  // What the application is told of its answers; set before Start.
  std::function<void(const Answered&)> answered_hook_;
  std::unique_ptr<Server> server_;
  uint16_t port_ = 0;
  std::thread thread_;
  Status status_;

 private:
  Mutex mutex_;
  CondVar changed_;
  std::vector<std::function<void()>> held_ GUARDED_BY(mutex_);
  std::shared_ptr<const std::atomic<bool>> cancelled_ GUARDED_BY(mutex_);
  std::atomic<bool> answered_ = false;
};

}  // namespace embedding::http
