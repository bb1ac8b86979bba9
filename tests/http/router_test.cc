#include "http/router.h"

#include <gtest/gtest.h>

#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "http/on_worker.h"

namespace embedding::http {
namespace {

constexpr Policy kOpen = {Access::kPublic, Executor::kIoThread, Readiness::kAlways,
                          Metering::kFree};

class FakeBody final : public BodySource {
 public:
  void Read(Request request, Responder responder, const Handler& next) override {
    request.body = "read";
    next(std::move(request), std::move(responder));
  }
};

class RouterTest : public ::testing::Test {
 protected:
  // A layer that leaves its name behind when a request goes through it.
  Middleware Mark(const std::string& name) {
    return [this, name](Handler next) -> Handler {
      return [this, name, next = std::move(next)](Request request, Responder responder) {
        passed_ += name + (request.unread_body == nullptr ? " after body; " : "; ");
        next(std::move(request), std::move(responder));
      };
    };
  }

  Router Make(std::vector<Route> routes) {
    return Router(std::move(routes),
                  {.with_key = Mark("key"),
                   .limited = Mark("limits"),
                   .once_started = Mark("started"),
                   .on_worker = Mark("worker")},
                  PlainRefusal);
  }

  static Route Echo(const char* method, const char* path, Policy policy = kOpen) {
    return {method, path, policy, [path](const Request& request, Responder responder) {
              responder.Answer({.body = std::string(path) + ':' + request.body});
            }};
  }

  static Response Ask(const Router& router, const std::string& method, const std::string& target) {
    Request request{method, target, "", "id"};
    request.unread_body = std::make_shared<FakeBody>();
    Response answer{.status = 0};
    router.Handle(std::move(request), [&](Response response) { answer = std::move(response); });
    return answer;
  }

  std::string passed_;
};

TEST_F(RouterTest, FindsTheRouteOfAMethodAndPath) {
  const Router router = Make({Echo("GET", "/"), Echo("POST", "/a"), Echo("GET", "/a/")});
  EXPECT_EQ(Ask(router, "GET", "/").body, "/:read");
  EXPECT_EQ(Ask(router, "HEAD", "/?b=c").body, "/:read");
  for (const char* target : {"/a", "/a/", "/a?x", "/a/?x"}) {
    EXPECT_EQ(Ask(router, "POST", target).body, "/a:read") << target;
  }
  EXPECT_EQ(Ask(router, "GET", "/a/b").body, "/a/:read");
  EXPECT_EQ(Ask(router, "GET", "/a/b/c").body, "/a/:read");
  EXPECT_EQ(router.RouteOf("/a/b?c"), "/a/");
  EXPECT_EQ(router.RouteOf("/c"), "");
}

TEST_F(RouterTest, WhatNoRouteTakesIsAnsweredHere) {
  const Router router = Make({Echo("GET", "/a"), Echo("POST", "/a"), Echo("POST", "/b")});
  EXPECT_EQ(Ask(router, "GET", "/nowhere").status, 404);
  EXPECT_TRUE(Ask(router, "GET", "/nowhere").headers.empty());
  const auto allow = [](const Response& response) {
    for (const Header& header : response.headers) {
      if (header.name == "Allow") return header.value;
    }
    return std::string();
  };
  const Response wrong = Ask(router, "PUT", "/a");
  EXPECT_EQ(wrong.status, 405);
  EXPECT_EQ(allow(wrong), "GET, HEAD, POST, OPTIONS");
  EXPECT_EQ(wrong.body, "/a takes GET, HEAD, POST, not PUT\n");
  const Response options = Ask(router, "OPTIONS", "/b");
  EXPECT_EQ(options.status, 204);
  EXPECT_EQ(allow(options), "POST, OPTIONS");
  EXPECT_EQ(Ask(router, "OPTIONS", "/nowhere").status, 404);
  EXPECT_EQ(allow(Ask(router, "OPTIONS", "*")), "GET, HEAD, POST, OPTIONS");
}

TEST_F(RouterTest, EachDemandOfAPolicyIsALayer) {
  struct Case {
    Policy policy;
    const char* passed;
  };
  for (const Case& c :
       {Case{kOpen, ""},
        Case{{Access::kWithKey, Executor::kIoThread, Readiness::kAlways, Metering::kFree}, "key; "},
        Case{{Access::kPublic, Executor::kWorker, Readiness::kAlways, Metering::kFree},
             "worker after body; "},
        Case{{Access::kPublic, Executor::kIoThread, Readiness::kOnceStarted, Metering::kFree},
             "started; "},
        Case{{Access::kPublic, Executor::kIoThread, Readiness::kAlways, Metering::kLimited},
             "limits; "},
        Case{{Access::kWithKey, Executor::kWorker, Readiness::kOnceStarted, Metering::kLimited},
             "key; limits; started; worker after body; "}}) {
    passed_.clear();
    const Router router = Make({Echo("POST", "/a", c.policy)});
    EXPECT_EQ(Ask(router, "POST", "/a").body, "/a:read");
    EXPECT_EQ(passed_, c.passed);
  }
}

}  // namespace
}  // namespace embedding::http
