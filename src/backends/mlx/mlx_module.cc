#include "backends/mlx/mlx_module.h"

#include "backends/mlx/mlx_backend.h"

namespace embedding {

Result<std::shared_ptr<Backend>> OpenMlxDevice(const DeviceOptions& options) {
  const std::string_view name = options.device;
  if (name == "mps") return OpenMpsBackend(options);
  if (name == "mlx-cpu") return OpenMlxCpuBackend(/*compiled=*/false);
  return OpenMlxCudaBackend(options);
}

}  // namespace embedding

// For dlsym, to which C++'s name would be known by the compiler alone.
extern "C" __attribute__((visibility("default"))) void EmbeddingOpenMlxDevice(
    const embedding::DeviceOptions& options,
    embedding::Result<std::shared_ptr<embedding::Backend>>& opened) {
  opened = embedding::OpenMlxDevice(options);
}
