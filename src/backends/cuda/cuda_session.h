// A model loaded on a GPU of NVIDIA's: the encoder and the heads that it has.
#pragma once

#include <memory>

#include "backends/backend.h"
#include "backends/cuda/cuda_device.h"

namespace embedding {

// `type` is not kInt8. Errors: kModelLoad, kOutOfMemory, kDeviceUnavailable for a library that is
// missing, kInternal.
Result<std::unique_ptr<Session>> MakeCudaSession(const Architecture& architecture,
                                                 const Tensors& tensors, ComputeType type,
                                                 std::shared_ptr<const CudaDevice> device);

}  // namespace embedding
