#pragma once

#include <cstddef>
#include <memory>
#include <span>

#include "backends/cpu/heads/head.h"
#include "base/thread_team.h"
#include "model/tensors.h"

namespace embedding {

// A vector of a sequence, PooledVector of model/heads.h, for those that `wants` it: its `output`,
// be it the dense vector, whose normalising is left to the request, or a classifier's logits. The
// team must outlive the head.
std::unique_ptr<CpuHead> MakePooledHead(const PooledVector& pooled, const HeadTensors& tensors,
                                        bool Outputs::*wants,
                                        std::span<const float> SequenceOutputs::*output,
                                        size_t hidden_size, ThreadTeam& team);

}  // namespace embedding
