#pragma once

#include <memory>

#include "backends/cpu/heads/head.h"
#include "base/thread_team.h"
#include "model/tensors.h"

namespace embedding {

// The logits of a classifier: Classifier of model/heads.h. The team must outlive the head.
std::unique_ptr<CpuHead> MakeClassifierHead(const Classifier& classifier,
                                            const ClassifierTensors& tensors, ThreadTeam& team);

}  // namespace embedding
