#include "app/serve.h"

#include <spdlog/spdlog.h>

#include <algorithm>
#include <atomic>
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
#include "app/logging.h"
#include "app/models.h"
#include "app/resources.h"
#include "base/cpu.h"
#include "base/mapped_file.h"
#include "http/server.h"
#include "http/worker_pool.h"

namespace embedding::app {
namespace {

// Threads that a server of these options runs besides its first: the team that computes is one for
// all models, each of which has a thread that calls it.
int ThreadsOf(const Configuration& options, int workers) {
  const int team =
      options.engine.device.threads > 0 ? options.engine.device.threads : AvailableCpus();
  constexpr int kLoader = 1;
  return workers + kLoader + static_cast<int>(options.models.size()) + team - 1;
}

// So that a key that did not arrive, from an empty variable say, is seen, and one that came with
// quotes that were not meant to be part of it.
void ReportKeys(const std::vector<std::string>& keys) {
  if (!keys.empty()) spdlog::info("requests must send one of {} API keys", keys.size());
  for (const std::string& key : keys) {
    const char quote = key.front();
    if (key.size() < 2 || (quote != '"' && quote != '\'') || key.back() != quote) continue;
    spdlog::warn(
        "an API key stands in quotes ({}), which are taken for a part of it: requests must send "
        "them too. Take them away where the key is set if they are not (docker's --env-file keeps "
        "them)",
        quote);
  }
}

// The server's URL for a browser on this machine: 0.0.0.0 and [::] are all addresses, not one.
std::string UrlHere(const http::Server& server) {
  std::string url = server.url();
  for (const std::string_view all : {"//0.0.0.0:", "//[::]:"}) {
    const size_t at = url.find(all);
    if (at != std::string::npos) return url.replace(at, all.size(), "//localhost:");
  }
  return url;
}

// Ends the process without waiting for threads: nothing stops a model that is being loaded, or a
// batch that is being computed, and nobody is left to be answered.
[[noreturn]] void ExitNow(int code) {
  std::fflush(stdout);
  spdlog::default_logger_raw()->flush();
  std::_Exit(code);
}

}  // namespace

Status Serve(const Configuration& options) {
  GiveMemoryBack();
  MappedFile::SurviveTruncation();

  ReportKeys(options.service.api_keys);

  const int worker_count = std::max(2, AvailableCpus());
  RETURN_IF_ERROR(CheckThreads(ThreadsOf(options, worker_count)));

  // Destroyed in reverse: the embedders answer what they still have while the workers and the
  // server that this goes through are there.
  std::unique_ptr<http::Server> server;
  http::WorkerPool workers(worker_count);
  api::Service service(options.service,
                       [&workers](std::function<void()> task) { workers.Post(std::move(task)); });
  Result<std::unique_ptr<http::Server>> listening = http::Server::Listen(
      options.server,
      {.handler = service.handler(), .word = [&service](const auto& refusal, const auto& request) {
         return service.Word(refusal, request);
       }});
  if (!listening.ok()) return std::move(listening).error();
  server = *std::move(listening);
  if (!server->is_local() && options.service.api_keys.empty()) {
    spdlog::warn(
        "other machines can reach {}, and without an API key everybody may ask; "
        "EMBEDDING_SERVICE_API_KEY or --api-key sets one",
        server->url());
  }

  Result<std::vector<std::unique_ptr<Embedder>>> models = Error{};
  std::atomic<bool> loaded = false;
  std::thread loader([&] {
    models = LoadModels(options, [&service](const std::string& name) -> EngineObserver& {
      return service.ObserverOf(name);
    });
    loaded = true;
    if (!models.ok()) return server->Stop();
    api::Models served;
    for (const auto& model : *models) served.push_back(model.get());
    Print("Model loaded on device: " + served.front()->info().device);
    service.Start(std::move(served));
    Print("Embedding service running on " + server->url() + "\nTry it: " + UrlHere(*server) +
          "/docs");
    if (!options.instance.empty()) LeaveStandardStreams();
  });
  // Of sockets that were inherited nobody is taken before there is something to answer with: the
  // server before may still answer on them.
  if (server->is_successor()) {
    loader.join();
    if (!models.ok()) return std::move(models).error();
  }

  const Status served = server->Run();
  if (!served.ok()) {
    spdlog::error("{}", served.error().message);
    ExitNow(EXIT_FAILURE);
  }
  if (!loaded) ExitNow(EXIT_SUCCESS);
  if (loader.joinable()) loader.join();
  if (!models.ok()) return std::move(models).error();
  return {};
}

}  // namespace embedding::app
