// Which backends there are in this build: nothing else knows.
#include <fmt/format.h>
#include <spdlog/spdlog.h>

#include <charconv>
#include <memory>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "backends/cpu/cpu_backend.h"
#ifdef EMBEDDING_CUDA
#include "backends/cuda/cuda_backend.h"
#endif
#ifdef EMBEDDING_MLX
#include "backends/mlx_devices.h"
#endif
#include "base/cpu.h"
#include "base/quoted.h"
#include "base/result.h"
#include "embedding/device.h"

namespace embedding {
namespace {

// What DeviceOptions::replicas of a device are.
enum class Replicas {
  kNone,         // it is one, and computes one batch at a time
  kNumbered,     // "cuda:0" and "cuda:1"
  kShareThreads  // each has its part of the threads
};

struct Entry {
  std::string_view device;
  Result<std::shared_ptr<Backend>> (*open)(const DeviceOptions& options);
  bool has_several = false;  // "cuda:1" is one of "cuda"
  Replicas replicas = Replicas::kNone;
  // Whether the hardware is there: where all else is not, "auto" says what is missing.
  bool (*is_plugged_in)() = [] { return false; };
};

// In the order in which "auto" tries them: the CPU is always present, and those behind it are for
// who asks for them.
constexpr Entry kBackends[] = {
#ifdef EMBEDDING_MLX
    {"mps", OpenByMlx},
#endif
#ifdef EMBEDDING_CUDA
    {"cuda", OpenCudaBackend, /*has_several=*/true, Replicas::kNumbered, HasCudaGpu},
#endif
    {"cpu", OpenCpuBackend, /*has_several=*/false, Replicas::kShareThreads},
#ifdef EMBEDDING_MLX
    {"mlx-cuda", OpenByMlx, /*has_several=*/true},
    {"mlx-cpu", OpenByMlx},
#endif
};

DeviceOptions Named(std::string_view device, DeviceOptions options) {
  options.device = device;
  return options;
}

const Entry* Find(std::string_view device) {
  for (const Entry& entry : kBackends) {
    if (entry.device == (entry.has_several ? device.substr(0, device.find(':')) : device))
      return &entry;
  }
  return nullptr;
}

// Sets what replica i of `options` is opened with; `named` is the device that they name.
Status MakeReplica(const DeviceOptions& options, const std::string& named, size_t i,
                   DeviceOptions& replica) {
  const Entry& entry = *Find(named);
  replica = options;
  replica.device = named;
  switch (entry.replicas) {
    case Replicas::kNone:
      return Error{ErrorCode::kDeviceUnavailable,
                   fmt::format("--replicas {}: the device {} computes one batch at a time; leave "
                               "--replicas out",
                               options.replicas, named),
                   {}};
    case Replicas::kNumbered: {
      size_t first = 0;
      const size_t colon = named.find(':');
      if (colon != std::string::npos)
        std::from_chars(named.data() + colon + 1, named.data() + named.size(), first);
      replica.device = fmt::format("{}:{}", entry.device, first + i);
      return {};
    }
    case Replicas::kShareThreads: {
      const size_t threads =
          static_cast<size_t>(options.threads > 0 ? options.threads : AvailableCpus());
      if (options.replicas > threads) {
        return Error{ErrorCode::kDeviceUnavailable,
                     fmt::format("--replicas {}: there are {} computing threads (--threads), and "
                                 "each replica needs one; choose fewer replicas",
                                 options.replicas, threads),
                     {}};
      }
      replica.threads =
          static_cast<int>(threads * (i + 1) / options.replicas - threads * i / options.replicas);
      return {};
    }
  }
  return {};
}

}  // namespace

Status CheckDevice(const std::string& device) {
  if (device == "auto" || Find(device) != nullptr) return {};
  std::string known = "auto";
  for (const Entry& entry : kBackends) known += fmt::format(", {}", entry.device);
  return Error{
      ErrorCode::kDeviceUnavailable,
      fmt::format("there is no device {} in this build; there are {}", Quoted(device), known),
      {}};
}

Result<std::shared_ptr<Backend>> OpenBackend(const DeviceOptions& options) {
  RETURN_IF_ERROR(CheckDevice(options.device));
  if (options.device != "auto") return Find(options.device)->open(options);
  for (const Entry& entry : kBackends) {
    if (entry.device == "cpu") break;
    auto opened = entry.open(Named(entry.device, options));
    if (opened.ok()) return opened;
    if (entry.is_plugged_in()) spdlog::warn("{}", opened.error().message);
  }
  return OpenCpuBackend(options);
}

Result<std::vector<std::shared_ptr<Backend>>> OpenBackends(const DeviceOptions& options) {
  ASSIGN_OR_RETURN(std::shared_ptr<Backend> first, OpenBackend(options));
  std::vector<std::shared_ptr<Backend>> backends;
  if (options.replicas <= 1) {
    backends.push_back(std::move(first));
    return backends;
  }
  const std::string named =
      options.device == "auto" ? std::string(first->device()) : options.device;
  first.reset();  // its threads are the replicas'
  for (size_t i = 0; i < options.replicas; ++i) {
    DeviceOptions replica;
    RETURN_IF_ERROR(MakeReplica(options, named, i, replica));
    ASSIGN_OR_RETURN(std::shared_ptr<Backend> backend, OpenBackend(replica));
    backends.push_back(std::move(backend));
  }
  return backends;
}

}  // namespace embedding
