// The instance in the background that a command is about, and what is said of it.
#pragma once

#include <CLI/CLI.hpp>

#include <cstdint>
#include <string>

#include "app/instance.h"
#include "base/result.h"

namespace embedding::cli {

struct InstanceOptions {
  std::string name;  // the port if empty
  uint16_t port = 8001;
};

// Adds --name, and --port, which names an instance without one.
void AddInstanceOptions(CLI::App& app, InstanceOptions& options);

// Adds --name alone: the command has a --port of its own.
void AddInstanceName(CLI::App& app, std::string& name);

// Errors: kInvalidArgument; kInternal: its folder cannot be used.
Result<app::Instance> InstanceOf(const std::string& name, uint16_t port);

// The same, of one that has been started once. Errors besides: kNotFound, which names those that
// have been.
struct KnownInstance {
  app::Instance instance;
  app::InstanceRecord record;
};
Result<KnownInstance> KnownInstanceOf(const std::string& name, uint16_t port);

// "process 4711, http://127.0.0.1:8001"
std::string WhatRuns(const app::InstanceRecord& record);

}  // namespace embedding::cli
