// Starting a server in the background: what `start` and `restart` share.
#pragma once

#include <CLI/CLI.hpp>

#include <string>
#include <vector>

#include "app/configuration.h"
#include "app/instance.h"
#include "base/result.h"
#include "hub/file_descriptor.h"

namespace embedding::cli {

struct LaunchOptions {
  app::Configuration configuration;
  std::string name;
};

// Every option of `serve`, and --name.
void AddLaunchOptions(CLI::App& app, LaunchOptions& options);

// What the command line says, which has been read without error, as "--name=value", without
// --name.
std::vector<std::string> GivenOptions(CLI::App& app, int argc, char** argv);

// The record of a server that is to be started from here with these arguments, not yet running.
app::InstanceRecord NewRecord(const LaunchOptions& options, const app::Instance& instance,
                              std::vector<std::string> arguments);

// Starts it, in the working directory and the environment of this process, and waits until it
// serves; `path` is the file of its record, whose lock is handed to it, and with it the right
// to write there. Gives its exit code, having said what went wrong, or kExitOk.
int Launch(const app::Instance& instance, const std::string& path, FileDescriptor lock,
           const std::vector<int>& sockets, app::InstanceRecord record);

}  // namespace embedding::cli
