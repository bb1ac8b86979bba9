// Devices by MLX (https://ml-explore.github.io/mlx): Apple's GPUs, NVIDIA's, or a plain CPU, which
// is slow and what tests run on.
#pragma once

#include <memory>

#include "backends/backend.h"
#include "base/result.h"
#include "embedding/device.h"

namespace embedding {

// DeviceOptions::device is "mps", "mlx-cuda", or, of the tests alone, "mlx-cpu". Errors:
// kDeviceUnavailable, saying what is there.
Result<std::shared_ptr<Backend>> OpenMpsBackend(const DeviceOptions& options);
Result<std::shared_ptr<Backend>> OpenMlxCudaBackend(const DeviceOptions& options);
// With `compiled` as MlxEncoder has it.
Result<std::shared_ptr<Backend>> OpenMlxCpuBackend(bool compiled);

}  // namespace embedding
