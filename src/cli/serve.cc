#include <spdlog/sinks/stdout_color_sinks.h>
#include <spdlog/spdlog.h>

#include <algorithm>
#include <atomic>
#include <chrono>
#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <map>
#include <memory>
#include <string>
#include <string_view>
#include <thread>
#include <vector>

#include "api/service.h"
#include "base/cpu.h"
#include "base/mapped_file.h"
#include "base/quoted.h"
#include "cli/commands.h"
#include "cli/options.h"
#include "cli/resources.h"
#include "cli/serve_options.h"
#include "cli/usage_error.h"
#include "engine/embedder.h"
#include "http/server.h"
#include "http/worker_pool.h"
#include "hub/download.h"
#include "hub/model_digest.h"

namespace embedding::cli {
namespace {

int ExitCodeOf(ErrorCode code) {
  switch (code) {
    case ErrorCode::kInvalidArgument:
      return kExitUsage;
    case ErrorCode::kModelLoad:
    case ErrorCode::kDownload:
      return kExitModel;
    case ErrorCode::kAddressInUse:
      return kExitAddressInUse;
    case ErrorCode::kDeviceUnavailable:
      return kExitDevice;
    default:
      return kExitFailed;
  }
}

int Report(const Error& error) {
  std::fprintf(stderr, "embedding-service: %s\n", error.message.c_str());
  return ExitCodeOf(error.code);
}

Status CheckDevice(const std::string& device) {
  if (device == "auto" || device == "cpu") return {};
  return Error{ErrorCode::kDeviceUnavailable,
               "device " + device + " is not available in this build; use --device cpu", ""};
}

ComputeType ComputeTypeOf(const std::string& dtype) {
  if (dtype == "f32") return ComputeType::kF32;
  if (dtype == "bf16") return ComputeType::kBF16;
  if (dtype == "f16") return ComputeType::kF16;
  if (dtype == "int8") return ComputeType::kInt8;
  return ComputeType::kAuto;
}

// What answers call the model: a hub id as it is, a directory by its last part.
std::string DisplayName(const std::string& model) {
  std::error_code error;
  const std::filesystem::path directory = std::filesystem::canonical(model, error);
  return error ? model : directory.filename().string();
}

// Requests name a model by what answers call it.
Status CheckNames(const std::vector<std::string>& models) {
  std::map<std::string, std::string> by_name;
  for (const std::string& model : models) {
    const auto [known, is_new] = by_name.emplace(DisplayName(model), model);
    if (is_new) continue;
    return UsageError(
        "--model: {} and {} would both be called {}; give each once, and rename one of two "
        "directories of one name",
        Quoted(known->second), Quoted(model), Quoted(known->first));
  }
  return {};
}

void Print(const std::string& line) {
  std::puts(line.c_str());
  std::fflush(stdout);
}

// Logs how far a download is, every few seconds.
ProgressCallback ProgressLog() {
  return [next = std::chrono::steady_clock::now()](const DownloadProgress& progress) mutable {
    constexpr std::chrono::seconds kInterval{5};
    constexpr uint64_t kMegabyte = 1'000'000;
    const auto now = std::chrono::steady_clock::now();
    if (now < next) return;
    next = now + kInterval;
    spdlog::info("downloading {}: {} of {} MB", progress.file, progress.done_bytes / kMegabyte,
                 progress.total_bytes / kMegabyte);
  };
}

Result<std::unique_ptr<Embedder>> LoadModel(const ServeOptions& options, const std::string& model,
                                            const std::shared_ptr<Backend>& backend) {
  ASSIGN_OR_RETURN(std::string directory,
                   LocateOrDownloadModel(model, options.revision, ProgressLog()));
  EmbedderOptions engine = options.engine;
  engine.model_digest = ModelDigest(directory);
  engine.model_directory = std::move(directory);
  engine.backend = backend;
  engine.model_name = DisplayName(model);
  engine.compute_type = ComputeTypeOf(options.dtype);
  if (!options.default_prompt_name.empty()) {
    engine.default_prompt_name = options.default_prompt_name;
  }
  if (options.pooling != "auto") engine.pooling = options.pooling;
  return Embedder::Load(engine);
}

// What this process holds in memory that is not a file's, as Linux counts it; 0 elsewhere.
double AnonymousMb() {
  std::ifstream status("/proc/self/status");
  std::string line;
  while (std::getline(status, line)) {
    constexpr std::string_view kField = "RssAnon:";
    if (line.starts_with(kField)) return std::strtod(line.c_str() + kField.size(), nullptr) / 1000;
  }
  return 0;
}

Result<std::vector<std::unique_ptr<Embedder>>> LoadModels(const ServeOptions& options) {
  DeviceOptions device = options.engine.device;
  if (options.instruction_set == "avx2") device.instruction_set = InstructionSet::kAvx2;
  ASSIGN_OR_RETURN(const std::shared_ptr<Backend> backend, OpenBackend(device));
  std::vector<std::unique_ptr<Embedder>> models;
  for (const std::string& model : options.models) {
    Print("Loading " + DisplayName(model) + " model...");
    const auto started = std::chrono::steady_clock::now();
    const double before_mb = AnonymousMb();
    ASSIGN_OR_RETURN(std::unique_ptr<Embedder> embedder, LoadModel(options, model, backend));
    const std::chrono::duration<double> took = std::chrono::steady_clock::now() - started;
    for (const std::string& warning : embedder->info().warnings) spdlog::warn("{}", warning);
    spdlog::info("{}: {} in {:.1f} s and {:.0f} MB beside the mapped files", embedder->info().name,
                 embedder->info().dtype, took.count(), AnonymousMb() - before_mb);
    models.push_back(std::move(embedder));
  }
  return models;
}

// Threads that a server of these options runs besides its first: the team that computes is one for
// all models, each of which has a thread that calls it.
int ThreadsOf(const ServeOptions& options, int workers) {
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

int Serve(int argc, char** argv) {
  ServeOptions options;
  CLI::App app("Answers requests for embeddings over HTTP.", "embedding-service serve");
  AddServeOptions(app, options);
  spdlog::set_default_logger(spdlog::stderr_color_mt("embedding-service"));
  if (const std::optional<int> code = ParseOptions(app, argc, argv)) return *code;

  if (const Status sound = FinishServeOptions(options); !sound.ok()) return Report(sound.error());
  if (const Status names = CheckNames(options.models); !names.ok()) return Report(names.error());
  const Status device = CheckDevice(options.device);
  if (!device.ok()) return Report(device.error());
  options.service.model_name = DisplayName(options.models.front());
  GiveMemoryBack();
  MappedFile::SurviveTruncation();

  ReportKeys(options.service.api_keys);

  const int worker_count = std::max(2, AvailableCpus());
  const Status threads = CheckThreads(ThreadsOf(options, worker_count));
  if (!threads.ok()) return Report(threads.error());

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
  if (!listening.ok()) return Report(listening.error());
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
    models = LoadModels(options);
    loaded = true;
    if (!models.ok()) return server->Stop();
    api::Models served;
    for (const auto& model : *models) served.push_back(model.get());
    Print("Model loaded on device: " + served.front()->info().device);
    service.Start(std::move(served));
    Print("Embedding service running on " + server->url() + "\nTry it: " + UrlHere(*server) +
          "/docs");
  });

  const Status served = server->Run();
  if (!served.ok()) {
    spdlog::error("{}", served.error().message);
    ExitNow(kExitFailed);
  }
  if (!loaded) ExitNow(kExitOk);
  loader.join();
  return models.ok() ? kExitOk : Report(models.error());
}

}  // namespace embedding::cli
