// A Service over a FakeEmbedder that runs everything on the test's thread.
#pragma once

#include <gtest/gtest.h>

#include <nlohmann/json.hpp>

#include <optional>
#include <string>
#include <utility>

#include "api/fake_embedder.h"
#include "api/service.h"

namespace embedding::api {

class ServiceTest : public ::testing::Test {
 protected:
  ServiceTest() { service.Start({&embedder}); }

  // The answer, which must have come when the handler returns.
  Response Send(const std::string& method, const std::string& target, std::string body = "") {
    return Ask(service, {method, target, std::move(body), "id-1"});
  }
  static Response Ask(const Service& asked, Request request) {
    const std::string target = request.target;
    std::optional<Response> answer;
    asked.handler()(std::move(request),
                    [&answer](Response response) { answer.emplace(std::move(response)); });
    EXPECT_TRUE(answer.has_value()) << target;
    return answer ? *std::move(answer) : Response{};
  }
  Response Post(const std::string& target, std::string body) {
    return Send("POST", target, std::move(body));
  }

  static std::string HeaderOf(const Response& response, const std::string& name) {
    for (const Header& header : response.headers) {
      if (header.name == name) return header.value;
    }
    return "";
  }

  // Holds an error to its status, its type, and a part of its message.
  static void ExpectError(const Response& response, int status, const std::string& type,
                          const std::string& part) {
    EXPECT_EQ(response.status, status) << response.body;
    const auto body = nlohmann::json::parse(response.body);
    EXPECT_EQ(body.at("error_type"), type);
    EXPECT_NE(body.at("error").get<std::string>().find(part), std::string::npos) << response.body;
    EXPECT_EQ(body.at("detail"), body.at("error"));
  }

  FakeEmbedder embedder;
  Service service{{.model_name = "org/fake", .max_client_batch_size = 3},
                  [](const std::function<void()>& task) { task(); }};
};

}  // namespace embedding::api
