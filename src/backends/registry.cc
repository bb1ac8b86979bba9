// Which backends there are in this build: nothing else knows.
#include <fmt/format.h>

#include <memory>
#include <string>
#include <string_view>

#include "backends/cpu/cpu_backend.h"
#ifdef EMBEDDING_CUDA
#include "backends/cuda/cuda_backend.h"
#endif
#ifdef EMBEDDING_MLX
#include "backends/mlx/mlx_backend.h"
#endif
#include "base/quoted.h"
#include "base/result.h"
#include "embedding/device.h"

namespace embedding {
namespace {

struct Entry {
  std::string_view device;
  Result<std::shared_ptr<Backend>> (*open)(const DeviceOptions& options);
  bool has_several = false;  // "cuda:1" is one of "cuda"
};

// In the order in which "auto" tries them: the CPU is always present, and those behind it are for
// who asks for them.
constexpr Entry kBackends[] = {
#ifdef EMBEDDING_MLX
    {"mps", OpenMpsBackend},
#endif
#ifdef EMBEDDING_CUDA
    {"cuda", OpenCudaBackend, /*has_several=*/true},
#endif
    {"cpu", OpenCpuBackend},
#ifdef EMBEDDING_MLX
    {"mlx-cpu", [](const DeviceOptions&) { return OpenMlxCpuBackend(/*compiled=*/false); }},
#endif
};

const Entry* Find(std::string_view device) {
  for (const Entry& entry : kBackends) {
    if (entry.device == (entry.has_several ? device.substr(0, device.find(':')) : device))
      return &entry;
  }
  return nullptr;
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
    if (auto opened = entry.open(options); opened.ok()) return opened;
  }
  return OpenCpuBackend(options);
}

}  // namespace embedding
