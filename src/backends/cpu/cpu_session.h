// A model loaded on the CPU: the encoder and the heads that it has.
#pragma once

#include <memory>

#include "backends/backend.h"
#include "base/thread_team.h"

namespace embedding {

// Packs the weights. It computes on `team`, whose mutex the caller holds, and in turns with the
// others that do. `type` is not kAuto; with `has_bf16` what passes between products of int8 is
// bf16. Errors: kModelLoad naming the tensor. Throws what packing throws.
Result<std::unique_ptr<Session>> MakeCpuSession(const Architecture& architecture,
                                                const Tensors& tensors, ComputeType type,
                                                bool has_bf16, std::shared_ptr<ThreadTeam> team);

}  // namespace embedding
