// Configuration: what a server is told, whether on the command line, by the environment or by a
// file.
#pragma once

#include <cstddef>
#include <optional>
#include <string>
#include <vector>

#include "api/call.h"
#include "app/logging.h"
#include "base/result.h"
#include "embedding/engine.h"
#include "http/server.h"

namespace embedding::app {

struct Configuration {
  std::vector<std::string> models = {"BAAI/bge-m3"};
  std::string revision = "main";
  std::string device = "auto";
  std::string dtype = "auto";
  std::string instruction_set = "auto";
  std::string pooling = "auto";
  std::string default_prompt_name = "";
  // Those that follow from others where they are not given (Complete).
  std::optional<size_t> max_queue;
  std::optional<size_t> payload_limit_bytes;
  EmbedderOptions engine;
  api::ServiceOptions service;
  http::ServerOptions server;
  LoggingOptions logging;
  // Of a server in the background what its files in the state folder begin with (instance.h).
  std::string instance = "";
};

// Checks what no value's own check sees, and sets what follows from the values together. Errors:
// kInvalidArgument, which names the option on the command line; kDeviceUnavailable.
Status Complete(Configuration& configuration);

// What answers call a model: a hub id as it is, a directory by its last part.
std::string DisplayName(const std::string& model);

}  // namespace embedding::app
