// Errors that a client cannot provoke at will, over a socket, in the shape of each dialect.
#include <gtest/gtest.h>

#include <chrono>
#include <functional>
#include <memory>
#include <nlohmann/json.hpp>
#include <string>
#include <thread>
#include <utility>

#include "api/fake_embedder.h"
#include "api/service.h"
#include "http/client.h"
#include "http/server.h"

namespace embedding::api {
namespace {

using nlohmann::json;

struct Dialect {
  const char* path;
  const char* body;  // a right one
  json (*error)(int status, const std::string& message);
};

json Native(int status, const std::string& message) {
  return {{"error", message},
          {"error_type", status == 500 ? "Backend" : "Validation"},
          {"detail", message}};
}
json OpenAi(int status, const std::string& message) {
  const char* type = status == 500 ? "server_error" : "invalid_request_error";
  return {{"error", {{"message", message}, {"type", type}, {"param", nullptr}, {"code", nullptr}}}};
}
json Rerank(int /*status*/, const std::string& message) {
  return {{"message", message}, {"detail", message}};
}
json Ollama(int /*status*/, const std::string& message) { return {{"error", message}}; }

constexpr Dialect kDialects[] = {
    {"/embed", R"({"texts":["a"]})", Native},
    {"/embed", R"({"inputs":"a"})", Native},
    {"/rerank", R"({"query":"a","texts":["b"]})", Native},
    {"/v1/embeddings", R"({"input":"a"})", OpenAi},
    {"/v1/rerank", R"({"query":"a","documents":["b"]})", Rerank},
    {"/v2/rerank", R"({"query":"a","documents":["b"]})", Rerank},
    {"/api/embed", R"({"model":"m","input":"a"})", Ollama},
    {"/api/embeddings", R"({"model":"m","prompt":"a"})", Ollama},
};

class ErrorsTest : public ::testing::Test {
 protected:
  ErrorsTest() {
    service_.Start({&embedder_});
    server_ = *http::Server::Listen(
        {.port = 0, .timeouts = {.body = std::chrono::milliseconds(50)}},
        {.handler = service_.handler(), .word = [this](const auto& refusal, const auto& request) {
           return service_.Word(refusal, request);
         }});
    thread_ = std::thread([this] { (void)server_->Run(); });
  }
  ~ErrorsTest() override {
    server_->Stop();
    thread_.join();
  }

  // The answer to the first `sent` bytes of the dialect's request, which is all that the client
  // sends.
  std::string Exchange(const Dialect& dialect, size_t sent) {
    const std::string body = dialect.body;
    http::Client client(http::PortOf(*server_));
    client.Send(std::string("POST ") + dialect.path +
                " HTTP/1.1\r\nHost: h\r\nx-request-id: id-7\r\nConnection: close\r\n"
                "Content-Length: " +
                std::to_string(body.size()) + "\r\n\r\n" + body.substr(0, sent));
    return client.ReadAll();
  }

  static void ExpectError(const Dialect& dialect, const std::string& answer, int status,
                          const std::string& message) {
    EXPECT_TRUE(answer.starts_with("HTTP/1.1 " + std::to_string(status) + ' ')) << answer;
    EXPECT_NE(answer.find("Content-Type: application/json\r\n"), std::string::npos) << answer;
    const json body = json::parse(answer.substr(answer.find("\r\n\r\n") + 4));
    EXPECT_EQ(body, dialect.error(status, message)) << dialect.path;
  }

  FakeEmbedder embedder_;
  Service service_{{.model_name = "org/fake"}, [](const std::function<void()>& task) { task(); }};
  std::unique_ptr<http::Server> server_;
  std::thread thread_;
};

TEST_F(ErrorsTest, AFailureOfTheServerIsA500AndTheNextRequestIsAnswered) {
  for (const Dialect& dialect : kDialects) {
    embedder_.failure = Error{ErrorCode::kInternal, "/secret is broken", ""};
    ExpectError(dialect, Exchange(dialect, std::string::npos), 500,
                "internal error; the server's log tells more under request id id-7");
    embedder_.failure.reset();
    const std::string answer = Exchange(dialect, std::string::npos);
    EXPECT_TRUE(answer.starts_with("HTTP/1.1 200 ")) << answer;
  }
}

TEST_F(ErrorsTest, ABodyThatNeverEndsIsA408) {
  for (const Dialect& dialect : kDialects) {
    ExpectError(dialect, Exchange(dialect, 5), 408, "the request took too long to arrive");
  }
}

}  // namespace
}  // namespace embedding::api
