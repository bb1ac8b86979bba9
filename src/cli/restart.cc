#include <fmt/format.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <chrono>
#include <cstdio>
#include <cstdlib>
#include <optional>
#include <string>
#include <string_view>
#include <system_error>
#include <thread>
#include <utility>
#include <vector>

#include "app/logging.h"
#include "base/quoted.h"
#include "cli/commands.h"
#include "cli/ending.h"
#include "cli/instance_options.h"
#include "cli/launch.h"
#include "cli/options.h"
#include "http/succession.h"

namespace embedding::cli {
namespace {

constexpr char kSummary[] =
    "Replaces a server in the background by a new one. It has the options that it was started "
    "with, and those given here in place of these; relative paths count from where it was started. "
    "The new server loads its model while the old one answers, and takes over its sockets: no "
    "client is refused. For that time there is memory for two. What does not run is started.";

std::string_view NameOf(std::string_view argument) {
  return argument.substr(0, argument.find('='));
}

// `before`, with all of an option's values replaced where `given` has the option.
std::vector<std::string> Merge(std::vector<std::string> before, std::vector<std::string> given) {
  std::erase_if(before, [&given](const std::string& old) {
    return std::any_of(given.begin(), given.end(), [&old](const std::string& argument) {
      return NameOf(argument) == NameOf(old);
    });
  });
  before.insert(before.end(), given.begin(), given.end());
  return before;
}

// The working directory and the environment that it was started in; variables that this command has
// been given go before.
Status ReturnTo(const app::InstanceRecord& record) {
  if (::chdir(record.directory.c_str()) != 0) {
    return Error{ErrorCode::kInternal,
                 fmt::format("{}, where it was started: {}", Quoted(record.directory),
                             std::generic_category().message(errno)),
                 ""};
  }
  for (const std::string& variable : record.environment) {
    const size_t equals = variable.find('=');
    if (equals == std::string::npos) continue;
    (void)::setenv(variable.substr(0, equals).c_str(), variable.c_str() + equals + 1, 0);
  }
  return {};
}

// One that has begun to serve a moment ago offers its sockets in the next.
Result<http::Succession> BeginSuccession(const std::string& path) {
  constexpr int kAttempts = 100;
  constexpr std::chrono::milliseconds kPause{50};
  for (int attempt = 1;; ++attempt) {
    Result<http::Succession> succession = http::Succession::Begin(path);
    if (succession.ok() || attempt == kAttempts || succession.error().code == ErrorCode::kTimeout)
      return succession;
    std::this_thread::sleep_for(kPause);
  }
}

int Replace(const app::Instance& instance, const app::InstanceRecord& before,
            const RunningServer& server, app::InstanceRecord record) {
  if (before.url.empty()) {
    return Report({ErrorCode::kUnavailable,
                   fmt::format("the server {} is still starting (process {}); try again when it "
                               "runs",
                               instance.name(), before.pid),
                   ""});
  }
  if (const Status ended = EndLeftover(instance, true); !ended.ok()) return Report(ended.error());
  Result<http::Succession> succession = BeginSuccession(instance.SocketPath(before.pid));
  if (!succession.ok()) {
    Error error = succession.error();
    if (error.code == ErrorCode::kTimeout) error.message += "; embedding-service stop ends it";
    return Report(error);
  }
  Result<std::optional<FileDescriptor>> lock = app::LockFile(instance.SuccessorPath());
  if (!lock.ok()) return Report(lock.error());
  if (!*lock) {
    return Report({ErrorCode::kUnavailable, instance.SuccessorPath() + " is in use", ""});
  }
  const int code = Launch(instance, instance.SuccessorPath(), *std::move(*lock),
                          succession->sockets(), std::move(record));
  if (code != kExitOk) {
    std::fprintf(stderr, "embedding-service: the server before goes on (%s)\n",
                 WhatRuns(before).c_str());
    return code;
  }
  if (std::rename(instance.SuccessorPath().c_str(), instance.RecordPath().c_str()) != 0) {
    return Report({ErrorCode::kInternal,
                   instance.RecordPath() + ": " + std::generic_category().message(errno), ""});
  }
  // It may have ended by itself in the meantime.
  (void)succession->Complete();
  const app::Ending ending = AwaitEnd(instance, before, server, PatienceWith(before) + kFarewell);
  if (ending == app::Ending::kStays) {
    return Report({ErrorCode::kInternal,
                   fmt::format("process {} does not end, even killed", before.pid), ""});
  }
  app::Print(fmt::format("The server before has {}: process {}",
                         ending == app::Ending::kKilled ? "been killed" : "ended", before.pid));
  return kExitOk;
}

int RestartAs(const app::Instance& instance, const app::InstanceRecord& before,
              std::vector<std::string> arguments, bool print) {
  if (const Status there = ReturnTo(before); !there.ok()) return Report(there.error());
  LaunchOptions options;
  CLI::App app(kSummary, "embedding-service restart");
  AddLaunchOptions(app, options);
  std::vector<std::string> words = arguments;
  if (print) words.emplace_back(kPrintConfig);
  std::string name = "restart";
  std::vector<char*> argv = {name.data()};
  for (std::string& word : words) argv.push_back(word.data());
  if (const auto code = ParseOptions(app, static_cast<int>(argv.size()), argv.data())) return *code;
  if (const Status sound = app::Complete(options.configuration); !sound.ok())
    return Report(sound.error());
  app::InstanceRecord record = NewRecord(options, instance, std::move(arguments));
  if (const std::optional<RunningServer> server = RunningServerOf(instance, before))
    return Replace(instance, before, *server, std::move(record));
  // A successor may have outlived the server before, and have its port.
  if (const Status ended = EndLeftover(instance, false); !ended.ok()) return Report(ended.error());
  Result<std::optional<FileDescriptor>> lock = app::LockFile(instance.RecordPath());
  if (!lock.ok()) return Report(lock.error());
  if (!*lock) {
    return Report({ErrorCode::kUnavailable,
                   "the server " + instance.name() + " is being started by another command", ""});
  }
  return Launch(instance, instance.RecordPath(), *std::move(*lock), {}, std::move(record));
}

}  // namespace

void DescribeRestart(CLI::App& app) { DescribeStart(app); }

int Restart(int argc, char** argv) {
  LaunchOptions given;
  CLI::App app(kSummary, "embedding-service restart");
  AddLaunchOptions(app, given);
  // What there is to warn of is said when all of it is known.
  if (const Status logging = app::StartLogging({.level = "error"}); !logging.ok())
    return Report(logging.error());
  // What is in force is known when the recorded options have joined these.
  std::vector<char*> words(argv, argv + argc);
  const bool print = std::erase_if(words, [](const char* word) {
                       return std::string_view(word) == kPrintConfig;
                     }) > 0;
  if (const auto code = ParseOptions(app, static_cast<int>(words.size()), words.data()))
    return *code;
  app::SetLogLevel("info");
  const Result<KnownInstance> known = KnownInstanceOf(given.name, given.configuration.server.port);
  if (!known.ok()) return Report(known.error());
  const app::Instance& instance = known->instance;
  const Result<FileDescriptor> work = BeginWork(instance);
  if (!work.ok()) return Report(work.error());
  const Result<std::optional<app::InstanceRecord>> record = instance.Read();
  if (!record.ok()) return Report(record.error());
  if (!*record) return Report({ErrorCode::kInternal, instance.RecordPath() + " has gone", ""});
  return RestartAs(
      instance, **record,
      Merge((*record)->arguments, GivenOptions(app, static_cast<int>(words.size()), words.data())),
      print);
}

}  // namespace embedding::cli
