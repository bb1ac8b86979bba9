#include "app/serve.h"

#include <spdlog/spdlog.h>

#include <algorithm>
#include <atomic>
#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <functional>
#include <memory>
#include <string>
#include <string_view>
#include <thread>
#include <utility>
#include <vector>

#include "api/service.h"
#include "app/cache.h"
#include "app/hangup.h"
#include "app/instance.h"
#include "app/logging.h"
#include "app/models.h"
#include "app/reload.h"
#include "app/resources.h"
#include "app/server_process.h"
#include "app/service_manager.h"
#include "base/cpu.h"
#include "base/mapped_file.h"
#include "http/server.h"
#include "http/worker_pool.h"

namespace embedding::app {
namespace {

// Threads that a server of these options runs besides its first: the team that computes is one for
// all models, each of which has a thread that calls it; replicas share its threads.
int ThreadsOf(const Configuration& options, int workers) {
  const int team =
      options.engine.device.threads > 0 ? options.engine.device.threads : AvailableCpus();
  const auto replicas = static_cast<int>(options.engine.device.replicas);
  constexpr int kLoader = 1;
  constexpr int kReloader = 1;
  return workers + kLoader + kReloader + replicas * static_cast<int>(options.models.size()) +
         ThreadsOfCache(options) + std::max(0, team - replicas);
}

// So that a key that did not arrive, from an empty variable say, is seen, and one that came with
// quotes that were not meant to be part of it.
void ReportKeys(const Configuration& options) {
  const size_t count = options.service.api_keys.size();
  if (count > 0) spdlog::info("requests must send one of {} API keys", count);
  for (const std::string& key : options.api_keys) {
    const char quote = key.front();
    if (key.size() < 2 || (quote != '"' && quote != '\'') || key.back() != quote) continue;
    spdlog::warn(
        "an API key stands in quotes ({}), which are taken for a part of it: requests must send "
        "them too. Take them away where the key is set if they are not (docker's --env-file keeps "
        "them)",
        quote);
  }
}

// The page for a browser on this machine: 0.0.0.0 and [::] are all addresses, not one. Or what
// reaches a UNIX socket, which no browser does.
std::string TryIt(const Configuration& options, const http::Server& server) {
  if (!options.server.unix_socket.empty()) {
    return "curl --unix-socket " + options.server.unix_socket + " http://localhost/health";
  }
  std::string url = server.url() + (options.service.no_console ? "/docs" : "/");
  for (const std::string_view all : {"//0.0.0.0:", "//[::]:"}) {
    const size_t at = url.find(all);
    if (at != std::string::npos) return url.replace(at, all.size(), "//localhost:");
  }
  return url;
}

// Whether a computing thread of every model has come round since the last call: of several devices
// one that hangs must not take the others along.
std::function<bool()> ComeRound(const std::vector<std::unique_ptr<Embedder>>& models) {
  return [&models, before = std::vector<uint64_t>(models.size(), ~uint64_t{0})]() mutable {
    bool all = true;
    for (size_t i = 0; i < models.size(); ++i) {
      const uint64_t turns = models[i]->turns();
      all = all && turns != before[i];
      before[i] = turns;
    }
    return all;
  };
}

// A server in the background has a record that says where it serves, which is what the commands
// know of it, and leaves the command that started it.
void BecomeBackground(const Configuration& options, const std::string& url) {
  const Status written =
      WriteUrl(InheritedRecord(options.server.inherited.size()), options.instance, url);
  if (!written.ok()) spdlog::error("{}", written.error().message);
  LeaveStandardStreams();
}

// Whether a device computes something still.
bool IsBusy(const std::vector<std::unique_ptr<Embedder>>& models) {
  return std::any_of(models.begin(), models.end(), [](const auto& model) {
    const std::vector<DeviceState> devices = model->devices();
    return std::any_of(devices.begin(), devices.end(),
                       [](const DeviceState& device) { return device.busy.count() > 0; });
  });
}

// Ends the process without waiting for threads: nothing stops a model that is being loaded, or a
// batch that is being computed, and nobody is left to be answered.
[[noreturn]] void ExitNow(int code) {
  std::fflush(stdout);
  spdlog::default_logger_raw()->flush();
  std::_Exit(code);
}

}  // namespace

Status Serve(const Configuration& given, const ReadAgain& read_again) {
  GiveMemoryBack();
  MappedFile::SurviveTruncation();

  ReportKeys(given);

  const int worker_count = std::max(2, AvailableCpus());
  RETURN_IF_ERROR(CheckThreads(ThreadsOf(given, worker_count)));

  Configuration options = given;
  options.engine.cache = OpenCache(given, static_cast<size_t>(worker_count));
  options.service.cache = options.engine.cache.get();
  // Destroyed in reverse: the embedders answer what they still have while the workers and the
  // server that this goes through are there.
  std::unique_ptr<http::Server> server;
  http::WorkerPool workers(worker_count);
  api::Service service(options.service,
                       [&workers](std::function<void()> task) { workers.Post(std::move(task)); });
  std::unique_ptr<Reloader> reloader;
  http::ServerOptions at = options.server;
  at.on_hangup = [&, meaning = HangupMeaning()] {
    const Hangup hangup = meaning.Now();
    if (hangup == Hangup::kTerminalGone) server->Stop();
    if (hangup == Hangup::kReload) reloader->Reload();
  };
  Result<std::unique_ptr<http::Server>> listening = http::Server::Listen(
      at, {.handler = service.handler(),
           .word = [&service](const auto& refusal,
                              const auto& request) { return service.Word(refusal, request); },
           .answered = service.answered()});
  if (!listening.ok()) return std::move(listening).error();
  server = *std::move(listening);
  reloader = std::make_unique<Reloader>(read_again, service, *server);
  if (!server->is_local() && options.service.api_keys.empty()) {
    spdlog::warn(
        "other machines can reach {}, and without an API key everybody may ask; "
        "EMBEDDING_SERVICE_API_KEY, --api-key or --api-keys-file sets one",
        server->url());
  }

  Result<std::vector<std::unique_ptr<Embedder>>> models = Error{};
  std::unique_ptr<Watchdog> watchdog;  // of the models
  std::atomic<bool> loaded = false;
  NotifyServiceManager("STATUS=Loading " + options.service.model_name);
  std::thread loader([&] {
    const auto observer_of = [&service](const std::string& name) -> EngineObserver& {
      return service.ObserverOf(name);
    };
    models = LoadModels(options, observer_of, service.loading());
    loaded = true;
    if (!models.ok()) return server->Stop();
    api::Models served;
    for (const auto& model : *models) served.push_back(model.get());
    Print("Model loaded on device: " + served.front()->info().device);
    watchdog = std::make_unique<Watchdog>(WatchdogTimeout(), ComeRound(*models));
    service.Start(std::move(served));
    server->Ready();
    Print("Embedding service running on " + server->url());
    Print("Try it: " + TryIt(options, *server));
    if (!options.instance.empty()) BecomeBackground(options, server->url());
    NotifyServiceManager("READY=1\nSTATUS=Serving on " + server->url());
  });
  const Status served = server->Run();
  if (!served.ok()) {
    spdlog::error("{}", served.error().message);
    service.CloseAccessLog();
    ExitNow(EXIT_FAILURE);
  }
  if (!loaded || reloader->busy()) ExitNow(EXIT_SUCCESS);
  loader.join();
  if (!models.ok()) return std::move(models).error();
  if (IsBusy(*models)) {  // or one that hangs would keep the process for ever
    service.CloseAccessLog();
    ExitNow(EXIT_SUCCESS);
  }
  return {};
}

}  // namespace embedding::app
