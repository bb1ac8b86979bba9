#include "cli/instance_options.h"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <optional>
#include <utility>
#include <vector>

#include "cli/option_values.h"
#include "cli/usage_error.h"

namespace embedding::cli {

void AddInstanceName(CLI::App& app, std::string& name) {
  app.add_option("--name", name, "What the server in the background is called; its port if empty")
      ->transform(OptionalText("a name"));
}

void AddInstanceOptions(CLI::App& app, InstanceOptions& options) {
  AddInstanceName(app, options.name);
  app.add_option("--port", options.port, "Its port, if it has no name")
      ->capture_default_str()
      ->transform(WholeNumber(0, 65535));
}

Result<app::Instance> InstanceOf(const std::string& name, uint16_t port) {
  if (name.empty() && port == 0) {
    return UsageError(
        "--port: 0 takes any free port, by which nobody finds the server again; give it a --name");
  }
  return app::Instance::Of(name.empty() ? std::to_string(port) : name);
}

Result<KnownInstance> KnownInstanceOf(const std::string& name, uint16_t port) {
  ASSIGN_OR_RETURN(app::Instance instance, InstanceOf(name, port));
  ASSIGN_OR_RETURN(std::optional<app::InstanceRecord> record, instance.Read());
  if (record) return KnownInstance{std::move(instance), *std::move(record)};
  const std::vector<std::string> names = app::Instance::Names();
  return Error{
      ErrorCode::kNotFound,
      fmt::format("no server {} has been started in the background{}", instance.name(),
                  names.empty() ? "; embedding-service start starts one"
                                : fmt::format("; --name takes: {}", fmt::join(names, ", "))),
      ""};
}

std::string WhatRuns(const app::InstanceRecord& record) {
  return fmt::format("process {}, {}", record.pid,
                     record.url.empty() ? "which is still starting" : record.url);
}

}  // namespace embedding::cli
