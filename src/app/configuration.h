// Configuration: what a server is told, whether on the command line, by the environment or by a
// file.
#pragma once

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "api/call.h"
#include "app/logging.h"
#include "base/result.h"
#include "embedding/engine.h"
#include "http/rate_limiter.h"
#include "http/server.h"

namespace embedding::app {

struct Configuration {
  std::vector<std::string> models = {"BAAI/bge-m3"};
  std::string revision = "main";
  std::string dtype = "auto";
  std::string instruction_set = "auto";
  std::string pooling = "auto";
  std::string default_prompt_name = "";
  // Sizes and URLs of Redis, as cache.h reads them; the password in one is nobody's to see.
  std::vector<std::string> cache = {"64MB"};
  std::chrono::milliseconds cache_timeout{100};
  std::chrono::seconds cache_ttl = std::chrono::hours(7 * 24);
  // Those that follow from others where they are not given (Complete).
  std::optional<size_t> max_queue;
  std::optional<size_t> payload_limit_bytes;
  // Keys without names, and the file of those that have one.
  std::vector<std::string> api_keys;
  std::string api_keys_file;
  http::Rates rates;
  uint64_t rate_limit_burst_seconds = 1;
  std::vector<std::string> trusted_proxies;
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

// What --open-routes may name.
std::vector<std::string> OpenRouteNames();

// What answers call a model: a hub id as it is, a directory by its last part.
std::string DisplayName(const std::string& model);

}  // namespace embedding::app
