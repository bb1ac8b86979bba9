// Which backends there are in this build: nothing else knows.
#include <fmt/format.h>

#include <memory>
#include <string>
#include <string_view>

#include "backends/cpu/cpu_backend.h"
#ifdef EMBEDDING_MLX
#include "backends/mlx/mlx_backend.h"
#endif
#include "base/quoted.h"
#include "embedding/device.h"

namespace embedding {
namespace {

struct Entry {
  std::string_view device;
  Result<std::shared_ptr<Backend>> (*open)(const DeviceOptions& options);
};

// In the order in which "auto" tries them: the CPU is always present, and those behind it are for
// who asks for them.
constexpr Entry kBackends[] = {
#ifdef EMBEDDING_MLX
    {"mps", OpenMpsBackend},
    {"cuda", OpenCudaBackend},
#endif
    {"cpu", OpenCpuBackend},
#ifdef EMBEDDING_MLX
    {"mlx-cpu", [](const DeviceOptions&) { return OpenMlxCpuBackend(/*compiled=*/false); }},
#endif
};

}  // namespace

Result<std::shared_ptr<Backend>> OpenBackend(const DeviceOptions& options) {
  std::string known;
  for (const Entry& entry : kBackends) {
    // "cuda:1" is a device of "cuda".
    if (options.device.substr(0, options.device.find(':')) == entry.device)
      return entry.open(options);
    if (options.device == "auto") {
      auto opened = entry.open(options);
      if (opened.ok() || entry.device == "cpu") return opened;
    }
    known += fmt::format("{}{}", known.empty() ? "" : ", ", entry.device);
  }
  return Error{ErrorCode::kDeviceUnavailable,
               fmt::format("there is no device {} in this build; there are auto, {}",
                           Quoted(options.device), known),
               {}};
}

}  // namespace embedding
