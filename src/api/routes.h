// Every route of the interface: what takes it, and on which conditions.
#pragma once

#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "api/call.h"
#include "http/router.h"

namespace embedding::api {

struct RouteRow {
  std::string_view method;
  std::string_view path;  // as http::Route has it
  http::Policy policy;
  void (*handle)(const CallPtr&);
};

std::span<const RouteRow> Routes();

// What ServiceOptions::open_routes may name: a route by its path, whatever its method; "health",
// "metrics" or "docs" for those that are open by default; "none".
std::vector<std::string> OpenRouteNames();

// Whether the route wants no key.
bool IsOpen(const RouteRow& row, const std::vector<std::string>& open_routes);

}  // namespace embedding::api
