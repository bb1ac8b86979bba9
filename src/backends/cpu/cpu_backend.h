// The CPU backend: kernels of our own (Highway), and oneDNN's products where the CPU has AMX.
#pragma once

#include <memory>

#include "backends/backend.h"
#include "base/thread_team.h"

namespace embedding {

// Packs the encoder's weights out of `weights` (which must outlive the backend: the embedding
// tables are read where they are mapped). What it computes it computes on `team`.
// Errors: kModelLoad naming the tensor that is missing or of another shape than `config` says.
// kDeviceUnavailable for a ComputeType that this processor does not have.
Result<std::unique_ptr<Backend>> MakeCpuBackend(const EncoderConfig& config,
                                                const TensorStore& weights, ComputeType type,
                                                std::shared_ptr<ThreadTeam> team);

}  // namespace embedding
