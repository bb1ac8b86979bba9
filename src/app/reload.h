// What a running server takes over when its configuration is read again: keys and their limits, the
// files of TLS, and the log's level.
#pragma once

#include <functional>
#include <string>
#include <vector>

#include "api/service.h"
#include "app/configuration.h"
#include "base/result.h"
#include "http/server.h"

namespace embedding::app {

struct Reread {
  Configuration configuration;       // complete
  std::vector<std::string> changed;  // options with other values than at the start: "--port"
};

// What the configuration is by now, or what is wrong with it.
using ReadAgain = std::function<Result<Reread>()>;

// Takes over what can be, and logs that; warns of what has changed and needs a restart. What is
// wrong there changes nothing and is logged. The service manager is told. Any thread.
void Reload(const ReadAgain& read_again, api::Service& service, http::Server& server);

}  // namespace embedding::app
