#pragma once

#include <memory>

#include "backends/cpu/heads/head.h"
#include "base/thread_team.h"
#include "model/tensors.h"

namespace embedding {

// SPLADE's weights of vocabulary entries: Splade of model/heads.h. The team must outlive the head.
std::unique_ptr<CpuHead> MakeSpladeHead(const Splade& splade, const SpladeTensors& tensors,
                                        ThreadTeam& team);

}  // namespace embedding
