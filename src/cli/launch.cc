#include "cli/launch.h"

#include <fmt/format.h>
#include <unistd.h>

#include <algorithm>
#include <chrono>
#include <csignal>
#include <cstdio>
#include <cstring>
#include <filesystem>
#include <iterator>
#include <string_view>
#include <system_error>
#include <utility>

#include "app/logging.h"
#include "app/server_process.h"
#include "cli/commands.h"
#include "cli/environment.h"
#include "cli/instance_options.h"
#include "cli/option_values.h"
#include "cli/serve_options.h"

namespace embedding::cli {
namespace {

// What a server reads of its environment: this program's options, what Hugging Face's tools go by
// (hub/hub_environment.h, hub/hub_settings.h), the proxies and authorities of the connections,
// which GPUs it may see, and where their libraries are.
constexpr std::string_view kPrefixes[] = {"EMBEDDING_SERVICE_",     "HF_",           "HUGGINGFACE_",
                                          "HUGGING_FACE_",          "TRANSFORMERS_", "CUDA_",
                                          "SENTENCE_TRANSFORMERS_", "SSL_CERT_"};
constexpr std::string_view kSuffixes[] = {"_proxy", "_PROXY"};
constexpr std::string_view kNames[] = {"HOME", "XDG_CACHE_HOME", "LD_LIBRARY_PATH"};

bool IsRead(std::string_view name) {
  const auto any = [](const auto& of, const auto& holds) {
    return std::any_of(std::begin(of), std::end(of), holds);
  };
  return any(kPrefixes, [name](std::string_view prefix) { return name.starts_with(prefix); }) ||
         any(kSuffixes, [name](std::string_view suffix) { return name.ends_with(suffix); }) ||
         any(kNames, [name](std::string_view whole) { return name == whole; });
}

std::vector<std::string> VariablesThatAreRead() {
  std::vector<std::string> variables;
  for (const std::string_view text : Variables()) {
    if (IsRead(text.substr(0, text.find('=')))) variables.emplace_back(text);
  }
  return variables;
}

std::string Absolute(const std::string& path) {
  std::error_code error;
  const std::filesystem::path absolute = std::filesystem::absolute(path, error);
  return error ? path : absolute.string();
}

// The socket of the server whose record this was, and which was killed: its lock is held here.
void RemoveLeftover(const app::Instance& instance, const std::string& path) {
  std::error_code none;
  if (std::filesystem::file_size(path, none) == 0 || none) return;
  const Result<std::optional<app::InstanceRecord>> before = app::ReadRecord(path);
  if (before.ok() && *before) (void)::unlink(instance.SocketPath((*before)->pid).c_str());
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
  record.environment = VariablesThatAreRead();
  return record;
}

int Launch(const app::Instance& instance, const std::string& path, FileDescriptor lock,
           const std::vector<int>& sockets, app::InstanceRecord record) {
  RemoveLeftover(instance, path);
  record.pid = 0;
  record.url.clear();
  record.started = std::chrono::duration_cast<std::chrono::seconds>(
                       std::chrono::system_clock::now().time_since_epoch())
                       .count();
  // While there is nothing to be lost: the disk may be full.
  if (const Status written = app::WriteRecord(lock.get(), record); !written.ok())
    return Report(written.error());

  std::vector<std::string> arguments = record.arguments;
  std::erase_if(arguments, [](const std::string& a) { return a.starts_with("--log-file="); });
  arguments.push_back("--log-file=" + record.log_file);
  arguments.push_back("--instance=" + instance.Base());
  Result<app::ServerProcess> process = app::ServerProcess::Start(arguments, record, lock, sockets);
  if (!process.ok()) return Report(process.error());
  { const FileDescriptor given_away = std::move(lock); }  // it is to be the server's alone

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
  app::Print(fmt::format("Process {} in the background; log: {}", process->pid(), record.log_file));
  return kExitOk;
}

}  // namespace embedding::cli
