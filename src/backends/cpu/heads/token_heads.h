// bge-m3's heads over every token, as FlagEmbedding computes them: TokenWeights and TokenVectors of
// model/heads.h.
#pragma once

#include <memory>

#include "backends/cpu/heads/head.h"
#include "base/thread_team.h"
#include "model/tensors.h"

namespace embedding {

// The team must outlive the heads.
std::unique_ptr<CpuHead> MakeTokenWeightsHead(const TokenWeights& head,
                                              const LinearTensors& tensors, ThreadTeam& team);
std::unique_ptr<CpuHead> MakeTokenVectorsHead(const LinearTensors& tensors, ThreadTeam& team);

}  // namespace embedding
