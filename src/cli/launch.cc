#include "cli/launch.h"

#include <fcntl.h>
#include <fmt/format.h>
#include <unistd.h>

#include <chrono>
#include <csignal>
#include <cstdio>
#include <cstring>
#include <filesystem>
#include <string_view>
#include <system_error>
#include <utility>

#include "app/logging.h"
#include "app/server_process.h"
#include "cli/commands.h"
#include "cli/instance_options.h"
#include "cli/option_values.h"
#include "cli/serve_options.h"

namespace embedding::cli {
namespace {

constexpr std::string_view kPrefix = "EMBEDDING_SERVICE_";

// What the environment says of this program's options.
std::vector<std::string> OwnVariables() {
  std::vector<std::string> variables;
  for (char** variable = environ; *variable != nullptr; ++variable) {
    if (std::string_view(*variable).starts_with(kPrefix)) variables.emplace_back(*variable);
  }
  return variables;
}

std::string Absolute(const std::string& path) {
  std::error_code error;
  const std::filesystem::path absolute = std::filesystem::absolute(path, error);
  return error ? path : absolute.string();
}

}  // namespace

void AddLaunchOptions(CLI::App& app, LaunchOptions& options) {
  AddInstanceName(app, options.name);
  AddServeOptions(app, options.configuration);
}

std::vector<std::string> GivenOptions(CLI::App& app, int argc, char** argv) {
  std::vector<std::string> given;
  const auto option_of = [&app](std::string_view argument) -> CLI::Option* {
    if (!argument.starts_with("--")) return nullptr;
    return app.get_option_no_throw(std::string(argument.substr(0, argument.find('='))));
  };
  for (int i = 1; i < argc; ++i) {
    std::string argument = argv[i];
    CLI::Option* option = option_of(argument);
    if (option == nullptr) continue;
    if (argument.find('=') == std::string::npos) {
      const bool value_follows = i + 1 < argc && option_of(argv[i + 1]) == nullptr;
      argument += std::string("=") + (value_follows ? argv[++i] : "true");
    }
    if (option->get_name() != "--name") given.push_back(std::move(argument));
  }
  return given;
}

app::InstanceRecord NewRecord(const LaunchOptions& options, const app::Instance& instance,
                              std::vector<std::string> arguments) {
  const app::Configuration& configuration = options.configuration;
  app::InstanceRecord record;
  record.model = app::DisplayName(configuration.models.front());
  record.log_file = configuration.logging.file.empty() ? instance.LogPath()
                                                       : Absolute(configuration.logging.file);
  record.shutdown_timeout_s = configuration.server.shutdown_timeout.count();
  std::error_code unknown;  // a directory that has been removed, say
  record.directory = std::filesystem::current_path(unknown).string();
  record.arguments = std::move(arguments);
  record.environment = OwnVariables();
  return record;
}

int Launch(const app::Instance& instance, const std::string& path, FileDescriptor lock,
           const std::vector<int>& sockets, app::InstanceRecord& record) {
  // The record outlives the lock here, which is to be the server's alone.
  const FileDescriptor file(::open(path.c_str(), O_RDWR | O_CLOEXEC));
  if (!file.valid()) {
    return Report({ErrorCode::kInternal, path + ": " + std::strerror(errno), ""});
  }
  record.pid = 0;
  record.url.clear();
  record.started = std::chrono::duration_cast<std::chrono::seconds>(
                       std::chrono::system_clock::now().time_since_epoch())
                       .count();
  // While there is nothing to be lost: the disk may be full.
  if (const Status written = app::WriteRecord(file.get(), record); !written.ok())
    return Report(written.error());

  std::vector<std::string> arguments = record.arguments;
  std::erase_if(arguments, [](const std::string& a) { return a.starts_with("--log-file="); });
  arguments.push_back("--log-file=" + record.log_file);
  arguments.push_back("--instance=" + instance.Base());
  Result<app::ServerProcess> process = app::ServerProcess::Start(arguments, lock, sockets);
  if (!process.ok()) return Report(process.error());
  { const FileDescriptor given_away = std::move(lock); }
  record.pid = process->pid();
  Status written = app::WriteRecord(file.get(), record);

  // A successor answers nobody yet, and would take its time to notice a SIGTERM.
  const app::StartOutcome outcome = process->WaitUntilReady(sockets.empty() ? SIGTERM : SIGKILL);
  if (outcome.cancelled) {
    std::fputs("embedding-service: interrupted; the server was ended\n", stderr);
    constexpr int kInterrupted = 130;  // as shells have it
    return kInterrupted;
  }
  if (outcome.signal != 0) {
    return Report({ErrorCode::kInternal,
                   fmt::format("the server was ended by signal {} ({}) while it started; its log "
                               "is {}",
                               outcome.signal, ::strsignal(outcome.signal), record.log_file),
                   ""});
  }
  if (outcome.url.empty()) {
    if (outcome.exit_code != kExitOk) return outcome.exit_code;  // of which it has said why
    return Report({ErrorCode::kInternal, "the server was stopped before it was ready", ""});
  }
  record.url = outcome.url;
  if (written.ok()) written = app::WriteRecord(file.get(), record);
  if (!written.ok()) return Report(written.error());
  app::Print(fmt::format("Process {} in the background; log: {}", record.pid, record.log_file));
  return kExitOk;
}

}  // namespace embedding::cli
