// What the layers around a handler do: workers, counting, and Responder itself.
#include <gtest/gtest.h>

#include <atomic>
#include <functional>
#include <memory>
#include <new>
#include <string>
#include <utility>
#include <vector>

#include "http/ask.h"
#include "http/count_answers.h"
#include "http/handler.h"
#include "http/on_worker.h"

namespace embedding::http {
namespace {

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
      [&](std::string_view route, const Response& response,
          std::chrono::duration<double> duration) {
        EXPECT_GE(duration.count(), 0);
        counted.emplace_back(route, response.status);
      })([](const Request& request, Responder responder) {
    responder.Answer({.status = request.method == "GET" ? 200 : 405});
  });
  Request of_client{"GET", "/abc", "", "id"};
  of_client.client.id = "192.0.2.1";
  EXPECT_EQ(Ask(handler, std::move(of_client)).client.id, "192.0.2.1");
  (void)Ask(handler, {"PUT", "/b", "", "id"});
  EXPECT_EQ(counted, (std::vector<std::pair<std::string, int>>{{"/a", 200}, {"/b", 405}}));
}

}  // namespace
}  // namespace embedding::http
