// GPUs of NVIDIA's: the device "cuda", by the libraries of cuda_api.h, which are opened at run
// time.
#pragma once

#include <memory>

#include "backends/backend.h"

namespace embedding {

// Whether this machine has a GPU and its driver, whatever else may be missing.
bool HasCudaGpu();

// DeviceOptions::device "cuda" or "cuda:0" is the first GPU, "cuda:1" the second. Errors:
// kDeviceUnavailable, saying what is not there.
Result<std::shared_ptr<Backend>> OpenCudaBackend(const DeviceOptions& options);

}  // namespace embedding
