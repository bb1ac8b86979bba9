#pragma once

#include <memory>
#include <vector>

#include "backends/cpu/heads/head.h"
#include "base/thread_team.h"
#include "model/tensors.h"

namespace embedding {

// A sequence's dense vector: PooledVector of model/heads.h. Normalising is left to the request.
// The team must outlive the head.
std::unique_ptr<CpuHead> MakePooledHead(const PooledVector& pooled,
                                        const std::vector<LinearTensors>& dense, ThreadTeam& team);

}  // namespace embedding
