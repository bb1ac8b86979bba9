// A dense layer of a head, in f32 whatever the encoder multiplies.
#pragma once

#include <memory>

#include "backends/backend.h"
#include "base/thread_team.h"

namespace embedding {

// As Backend::MakeLinear. The team must outlive the layer.
Result<std::unique_ptr<LinearLayer>> MakeCpuLinear(const TensorView& weight, const TensorView* bias,
                                                   Activation activation, ThreadTeam& team);

}  // namespace embedding
