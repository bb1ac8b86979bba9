// The description of the interface has every route, and no other.
#include <gtest/gtest.h>

#include <algorithm>
#include <nlohmann/json.hpp>
#include <set>
#include <string>
#include <utility>

#include "api/routes.h"
#include "api/service_fixture.h"

namespace embedding::api {
namespace {

TEST_F(ServiceTest, OpenApiDescribesEveryRouteAndNoOther) {
  const auto document = nlohmann::json::parse(Send("GET", "/openapi.json").body);
  std::set<std::pair<std::string, std::string>> described;
  for (const auto& [path, methods] : document.at("paths").items()) {
    for (const auto& [method, operation] : methods.items()) {
      std::string upper = method;
      std::transform(upper.begin(), upper.end(), upper.begin(),
                     [](unsigned char c) { return static_cast<char>(std::toupper(c)); });
      described.emplace(upper, path.substr(0, path.find('{')));
    }
  }
  std::set<std::pair<std::string, std::string>> routes;
  for (const RouteRow& row : Routes()) routes.emplace(row.method, row.path);
  EXPECT_EQ(described, routes);
}

TEST_F(ServiceTest, DocsIsAPageThatNeedsNothingFromOutside) {
  const Response page = Send("GET", "/docs");
  EXPECT_EQ(page.content_type, "text/html; charset=utf-8");
  EXPECT_NE(page.body.find("openapi.json"), std::string::npos);
  EXPECT_EQ(page.body.find("://"), std::string::npos);
}

}  // namespace
}  // namespace embedding::api
