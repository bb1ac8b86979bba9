// The devices by MLX, for the registry.
#pragma once

#include <memory>

#include "backends/backend.h"
#include "base/result.h"
#include "embedding/device.h"

namespace embedding {

// DeviceOptions::device is "mps", "mlx-cpu", or "mlx-cuda" with or without a number. Errors:
// kDeviceUnavailable, where MLX or what it needs cannot be loaded too.
Result<std::shared_ptr<Backend>> OpenByMlx(const DeviceOptions& options);

}  // namespace embedding
