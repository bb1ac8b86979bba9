// What `embedding-service serve` can be told.
#pragma once

#include <CLI/CLI.hpp>

#include <cstddef>
#include <optional>
#include <string>
#include <vector>

#include "api/call.h"
#include "base/result.h"
#include "engine/embedder.h"
#include "http/server.h"

namespace embedding::cli {

struct ServeOptions {
  std::vector<std::string> models = {"BAAI/bge-m3"};
  std::string revision = "main";
  std::string device = "auto";
  std::string dtype = "auto";
  std::string instruction_set = "auto";
  std::string pooling = "auto";
  std::string default_prompt_name = "";
  // Those that follow from others where they are not given (FinishServeOptions).
  std::optional<size_t> max_queue;
  std::optional<size_t> payload_limit_bytes;
  EmbedderOptions engine;
  api::ServiceOptions service;
  http::ServerOptions server;
};

// Adds every option, with its description and its check (option_values.h); `options` must outlive
// the parsing.
void AddServeOptions(CLI::App& app, ServeOptions& options);

// Checks what no option's own check sees, and sets what follows from the options together. Errors:
// kInvalidArgument.
Status FinishServeOptions(ServeOptions& options);

}  // namespace embedding::cli
