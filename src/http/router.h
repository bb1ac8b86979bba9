// Router: which handler answers which method and path, and under which conditions.
//
// Paths are compared without their query and without one slash at their end, which some clients'
// base addresses leave there. HEAD is asked wherever GET is. OPTIONS is answered here, as is what
// no route takes: 404, or 405 with Allow.
//
// Thread-safety: all of it, once it is made.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "http/handler.h"
#include "http/refusal.h"

namespace embedding::http {

enum class Access { kPublic, kWithKey };         // who may ask
enum class Executor { kIoThread, kWorker };      // where it is answered
enum class Readiness { kAlways, kOnceStarted };  // from when on
enum class Metering { kFree, kLimited };         // whether it counts against its client's limits

struct Policy {
  Access access;
  Executor executor;
  Readiness readiness;
  Metering metering;
};

struct Route {
  std::string_view method;
  std::string_view path;  // or, where it ends in '/' and is more, what paths begin with
  Policy policy;
  Handler handler;
};

// What each demand of a policy puts around a handler. A request is asked for its key first, then
// whether its client may have more, then whether it can be answered yet; then its body is read, and
// a worker takes it.
struct PolicyLayers {
  Middleware with_key;
  Middleware limited;
  Middleware once_started;
  Middleware on_worker;
};

class Router {
 public:
  // Paths must outlive the router.
  Router(std::vector<Route> routes, const PolicyLayers& layers, WordRefusal word);

  void Handle(Request request, Responder responder) const;

  // The path of the route that takes the target's path, by whatever method; "" if none does.
  std::string_view RouteOf(std::string_view target) const;

 private:
  std::vector<Route> routes_;  // with their layers around their handlers
  WordRefusal word_;
};

}  // namespace embedding::http
