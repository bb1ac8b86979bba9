// The CPU backend: kernels of our own, and a BLAS's products of f32 in a build with
// one.
#pragma once

#include <memory>

#include "backends/backend.h"

namespace embedding {

// Errors: kInternal if the system has no threads left, kDeviceUnavailable as LimitInstructionSet()
// (instruction_set.h).
Result<std::shared_ptr<Backend>> OpenCpuBackend(const DeviceOptions& options);

}  // namespace embedding
