// The CPU backend: kernels of our own (Highway), and oneDNN's products where the CPU has AMX.
#pragma once

#include <memory>

#include "backends/backend.h"

namespace embedding {

// Packs the encoder's weights out of `weights` (which must outlive the backend: the embedding
// tables are read where they are mapped). threads >= 1.
// Errors: kModelLoad naming the tensor that is missing or of another shape than `config` says.
// kDeviceUnavailable for a ComputeType that this processor does not have.
Result<std::unique_ptr<Backend>> MakeCpuBackend(const EncoderConfig& config,
                                                const TensorStore& weights, ComputeType type,
                                                int threads);

}  // namespace embedding
