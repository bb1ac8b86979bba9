// Every route of the interface: what takes it, and on which conditions.
#pragma once

#include <span>
#include <string_view>

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

}  // namespace embedding::api
