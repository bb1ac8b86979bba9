// What the layers around a handler do: keys, workers, counting, and Responder itself.
#include <gtest/gtest.h>

#include <atomic>
#include <functional>
#include <memory>
#include <new>
#include <string>
#include <utility>
#include <vector>

#include "http/api_key.h"
#include "http/count_answers.h"
#include "http/handler.h"
#include "http/on_worker.h"

namespace embedding::http {
namespace {

const Handler kFine = [](Request, Responder responder) { responder.Answer({.body = "fine"}); };

Response Ask(const Handler& handler, Request request) {
  Response answer{.status = 0};
  handler(std::move(request), [&](Response response) { answer = std::move(response); });
  return answer;
}

TEST(ResponderTest, AnswersOnceThroughWhatChangesIt) {
  std::vector<std::string> answers;
  Responder responder = [&](const Response& response) { answers.push_back(response.body); };
  Responder changing =
      std::move(responder).Changing([](Response& response) { response.body += '!'; });
  EXPECT_FALSE(responder);  // NOLINT(bugprone-use-after-move): what it is then is its promise
  ASSERT_TRUE(changing);
  changing.Answer({.body = "a"});
  EXPECT_FALSE(changing);
  EXPECT_EQ(answers, std::vector<std::string>{"a!"});
}

TEST(ApiKeyTest, LetsThroughWhoSendsOneOfTheKeys) {
  const Handler handler = RequireKey({"k1", "k2"}, PlainRefusal)(kFine);
  const auto status = [&](const std::string& api_key, const std::string& authorization) {
    Request request{"POST", "/", "", "id"};
    request.api_key = api_key;
    request.authorization = authorization;
    return Ask(handler, std::move(request)).status;
  };
  EXPECT_EQ(status("k1", ""), 200);
  EXPECT_EQ(status("k2", ""), 200);
  EXPECT_EQ(status("", "Bearer k2"), 200);
  EXPECT_EQ(status("", "bEARER   k2"), 200);
  EXPECT_EQ(status("wrong", "Bearer k1"), 200);
  for (const auto& [api_key, authorization] :
       std::vector<std::pair<std::string, std::string>>{{"", ""},
                                                        {"k", ""},
                                                        {"k11", ""},
                                                        {"K1", ""},
                                                        {"", "k1"},
                                                        {"", "Basic k1"},
                                                        {"", "Bearer"},
                                                        {"", "Bearer "},
                                                        {"", "Bearer k1 "}}) {
    EXPECT_EQ(status(api_key, authorization), 401) << api_key << ' ' << authorization;
  }
}

TEST(ApiKeyTest, TellsHowToSendOneAndThatOneIsWrong) {
  const Handler handler = RequireKey({"k"}, PlainRefusal)(kFine);
  const Response none = Ask(handler, {"POST", "/", "", "id"});
  ASSERT_EQ(none.headers.size(), 1U);
  EXPECT_EQ(none.headers[0].name, "WWW-Authenticate");
  EXPECT_NE(none.body.find("X-API-Key"), std::string::npos);
  Request request{"POST", "/", "", "id"};
  request.api_key = "wrong";
  EXPECT_NE(Ask(handler, std::move(request)).body.find("not one of"), std::string::npos);
}

TEST(ApiKeyTest, AnEmptyKeyLetsNobodyInAndNoKeysEverybody) {
  EXPECT_EQ(Ask(RequireKey({""}, PlainRefusal)(kFine), {"POST", "/", "", "id"}).status, 401);
  EXPECT_EQ(Ask(RequireKey({}, PlainRefusal)(kFine), {"POST", "/", "", "id"}).status, 200);
}

// A worker that runs its tasks when the test says so.
struct Worker {
  Middleware layer =
      OnWorker([this](std::function<void()> task) { tasks.push_back(task); }, PlainRefusal);
  std::vector<std::function<void()>> tasks;

  void Run() {
    for (auto& task : std::exchange(tasks, {})) task();
  }
};

TEST(OnWorkerTest, AnswersWhenTheWorkerComesToIt) {
  Worker worker;
  const Handler handler = worker.layer(kFine);
  std::string answer;
  handler({"POST", "/", "", "id"}, [&](const Response& response) { answer = response.body; });
  EXPECT_EQ(answer, "");
  worker.Run();
  EXPECT_EQ(answer, "fine");
}

TEST(OnWorkerTest, ARequestWhoseClientHasLeftGoesNoFurther) {
  Worker worker;
  bool called = false;
  const Handler handler = worker.layer([&](Request, Responder) { called = true; });
  const auto cancelled = std::make_shared<std::atomic<bool>>(false);
  int status = 0;
  handler({"POST", "/", "", "id", cancelled},
          [&](const Response& response) { status = response.status; });
  *cancelled = true;
  worker.Run();
  EXPECT_EQ(status, 499);
  EXPECT_FALSE(called);
}

TEST(OnWorkerTest, WhatIsThrownCostsTheRequestAlone) {
  Worker worker;
  const Handler handler = worker.layer([](Request, Responder) { throw std::bad_alloc(); });
  auto held = std::make_shared<int>(0);
  handler({"POST", "/", "", "id"}, [held](const Response&) {});
  worker.Run();
  EXPECT_EQ(held.use_count(), 1);  // dropped, which the server answers
}

TEST(CountAnswersTest, CountsEveryAnswerUnderItsRoute) {
  std::vector<std::pair<std::string, int>> counted;
  const Handler handler = CountAnswers(
      [](const Request& request) { return std::string_view(request.target == "/b" ? "/b" : "/a"); },
      [&](std::string_view route, int status, std::chrono::duration<double> duration) {
        EXPECT_GE(duration.count(), 0);
        counted.emplace_back(route, status);
      })([](const Request& request, Responder responder) {
    responder.Answer({.status = request.method == "GET" ? 200 : 405});
  });
  (void)Ask(handler, {"GET", "/abc", "", "id"});
  (void)Ask(handler, {"PUT", "/b", "", "id"});
  EXPECT_EQ(counted, (std::vector<std::pair<std::string, int>>{{"/a", 200}, {"/b", 405}}));
}

}  // namespace
}  // namespace embedding::http
