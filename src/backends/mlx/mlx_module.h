// The devices by MLX, by their names. On Linux they are a module apart (backends/mlx_devices.cc).
#pragma once

#include <memory>
#include <string_view>

#include "backends/backend.h"
#include "base/result.h"
#include "embedding/device.h"

namespace embedding {

// "mps", "mlx-cpu", or "mlx-cuda" with or without a number. Errors: kDeviceUnavailable.
Result<std::shared_ptr<Backend>> OpenMlxDevice(const DeviceOptions& options);

}  // namespace embedding

// The same across the module's border.
extern "C" void EmbeddingOpenMlxDevice(
    const embedding::DeviceOptions& options,
    embedding::Result<std::shared_ptr<embedding::Backend>>& opened);
