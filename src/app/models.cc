#include "app/models.h"

#include <spdlog/spdlog.h>

#include <chrono>
#include <cstdint>
#include <cstdlib>
#include <fstream>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "app/logging.h"
#include "backends/backend.h"
#include "hub/download.h"
#include "hub/model_digest.h"

namespace embedding::app {
namespace {

using Backends = std::vector<std::shared_ptr<Backend>>;

ComputeType ComputeTypeOf(const std::string& dtype) {
  if (dtype == "f32") return ComputeType::kF32;
  if (dtype == "bf16") return ComputeType::kBF16;
  if (dtype == "f16") return ComputeType::kF16;
  if (dtype == "int8") return ComputeType::kInt8;
  return ComputeType::kAuto;
}

InstructionSet InstructionSetOf(const std::string& name) {
  if (name == "avx2") return InstructionSet::kAvx2;
  if (name == "avxvnni") return InstructionSet::kAvxVnni;
  if (name == "avx512") return InstructionSet::kAvx512;
  if (name == "neon") return InstructionSet::kNeon;
  if (name == "dotprod") return InstructionSet::kDotprod;
  return InstructionSet::kBest;
}

// Tells how far a download is, each time, for it may stand still after any; and logs it seldom.
ProgressCallback TellProgress(api::Loading& loading) {
  using Clock = std::chrono::steady_clock;
  return [&loading, log_at = Clock::now()](const DownloadProgress& progress) mutable {
    constexpr std::chrono::seconds kLogEvery{5};
    constexpr uint64_t kMegabyte = 1'000'000;
    loading.Report({{std::string(progress.file), progress.done_bytes, progress.total_bytes}});
    const auto now = Clock::now();
    if (now < log_at) return;
    log_at = now + kLogEvery;
    spdlog::info("downloading {}: {} of {} MB", progress.file, progress.done_bytes / kMegabyte,
                 progress.total_bytes / kMegabyte);
  };
}

Result<std::unique_ptr<Embedder>> LoadModel(const Configuration& options, const std::string& model,
                                            const Backends& backends, EngineObserver* observer,
                                            const ProgressCallback& progress) {
  ASSIGN_OR_RETURN(std::string directory, LocateOrDownloadModel(model, options.revision, progress));
  EmbedderOptions engine = options.engine;
  engine.model_digest = ModelDigest(directory);
  engine.model_directory = std::move(directory);
  engine.backends = backends;
  engine.observer = observer;
  engine.model_name = DisplayName(model);
  engine.compute_type = ComputeTypeOf(options.dtype);
  if (!options.default_prompt_name.empty()) {
    engine.default_prompt_name = options.default_prompt_name;
  }
  if (options.pooling != "auto") engine.pooling = options.pooling;
  Result<std::unique_ptr<Embedder>> embedder = Embedder::Load(engine);
  const bool may_choose =
      options.engine.device.device == "auto" && backends.front()->device() != "cpu";
  if (embedder.ok() || !may_choose || embedder.error().code != ErrorCode::kDeviceUnavailable) {
    return embedder;
  }
  spdlog::warn("{}: {}; it is computed on the CPU", engine.model_name, embedder.error().message);
  DeviceOptions cpu = options.engine.device;
  cpu.device = "cpu";
  ASSIGN_OR_RETURN(engine.backends, OpenBackends(cpu));
  return Embedder::Load(engine);
}

Result<Backends> OpenBackendsOf(const Configuration& options) {
  DeviceOptions device = options.engine.device;
  device.instruction_set = InstructionSetOf(options.instruction_set);
  // No GPU computes in int8: who asks for it and not for a GPU means the CPU.
  if (device.device == "auto" && options.dtype == "int8") device.device = "cpu";
  return OpenBackends(device);
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

}  // namespace

Result<std::vector<std::unique_ptr<Embedder>>> LoadModels(const Configuration& options,
                                                          const ObserverOf& observer_of,
                                                          api::Loading& loading) {
  ASSIGN_OR_RETURN(const Backends backends, OpenBackendsOf(options));
  std::vector<std::unique_ptr<Embedder>> models;
  for (const std::string& model : options.models) {
    Print("Loading " + DisplayName(model) + " model...");
    const auto started = std::chrono::steady_clock::now();
    const double before_mb = AnonymousMb();
    ASSIGN_OR_RETURN(std::unique_ptr<Embedder> embedder,
                     LoadModel(options, model, backends, &observer_of(DisplayName(model)),
                               TellProgress(loading)));
    loading.Report(std::nullopt);
    const std::chrono::duration<double> took = std::chrono::steady_clock::now() - started;
    for (const std::string& warning : embedder->info().warnings) spdlog::warn("{}", warning);
    spdlog::info("{}: {} in {:.1f} s and {:.0f} MB beside the mapped files", embedder->info().name,
                 embedder->info().dtype, took.count(), AnonymousMb() - before_mb);
    models.push_back(std::move(embedder));
  }
  return models;
}

Result<std::unique_ptr<Embedder>> LoadFirstModel(const Configuration& options,
                                                 const ProgressCallback& progress) {
  ASSIGN_OR_RETURN(const Backends backends, OpenBackendsOf(options));
  return LoadModel(options, options.models.front(), backends, nullptr, progress);
}

}  // namespace embedding::app
