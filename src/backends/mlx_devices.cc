// MLX for NVIDIA's GPUs is linked with the driver and NVIDIA's libraries: a program that is linked
// with MLX does not start where these are not. So on Linux MLX is in a module, which is loaded when
// one of its devices is asked for; where it cannot be, that device is not there, and all others
// are. The module is of the same build: its name has the version, and what passes between the two
// is C++. A Mac has all that MLX needs, and there it is linked.
#include "backends/mlx_devices.h"

#include <cstdlib>

#ifdef EMBEDDING_MLX_MODULE
#include <dlfcn.h>
#include <fmt/format.h>

#include <string>
#include <utility>
#else
#include "backends/mlx/mlx_module.h"
#endif

namespace embedding {
namespace {

// Or what is said to be f32 would be multiplied with 10 bits of its 23, on NVIDIA's GPUs and on
// Apple's from the M5 on. MLX has no other way to be told; it looks when it first multiplies.
// Before main, and so not in the module: no other thread reads the environment yet.
[[maybe_unused]] const int told = ::setenv("MLX_ENABLE_TF32", "0", /*overwrite=*/1);

}  // namespace

#ifdef EMBEDDING_MLX_MODULE

namespace {

using Open = void (*)(const DeviceOptions& options, Result<std::shared_ptr<Backend>>& opened);

// Loaded once, and never unloaded: backends live in it. In the folders of this program's run path.
Result<Open> LoadModule() {
  static const auto [module, problem] = [] {
    void* const opened = ::dlopen(EMBEDDING_MLX_MODULE, RTLD_NOW | RTLD_LOCAL);
    const char* const said = opened == nullptr ? ::dlerror() : nullptr;
    return std::pair(opened, std::string(said == nullptr ? "" : said));
  }();
  if (module == nullptr) return Error{ErrorCode::kDeviceUnavailable, problem, {}};
  void* const open = ::dlsym(module, "EmbeddingOpenMlxDevice");
  if (open == nullptr) {
    return Error{ErrorCode::kDeviceUnavailable, EMBEDDING_MLX_MODULE " is of another program", {}};
  }
  return reinterpret_cast<Open>(open);
}

}  // namespace

Result<std::shared_ptr<Backend>> OpenByMlx(const DeviceOptions& options) {
  const Result<Open> open = LoadModule();
  if (!open.ok()) {
    return Error{
        ErrorCode::kDeviceUnavailable,
        fmt::format("the device {} is not there: MLX cannot be loaded: {}; choose the device auto "
                    "or cpu, or install what is missing (MLX's CUDA variant needs NVIDIA's driver, "
                    "CUDA, cuDNN and NCCL)",
                    options.device, open.error().message),
        {}};
  }
  Result<std::shared_ptr<Backend>> opened = Error{};
  (*open)(options, opened);
  return opened;
}

#else

Result<std::shared_ptr<Backend>> OpenByMlx(const DeviceOptions& options) {
  return OpenMlxDevice(options);
}

#endif

}  // namespace embedding
