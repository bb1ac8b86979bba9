// A dense layer of a head, in f32 whatever the encoder multiplies.
#pragma once

#include <memory>

#include "backends/backend.h"

namespace embedding {

// As Backend::MakeLinear. threads >= 1.
Result<std::unique_ptr<LinearLayer>> MakeCpuLinear(const TensorView& weight, const TensorView* bias,
                                                   Activation activation, int threads);

}  // namespace embedding
