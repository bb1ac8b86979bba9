// Products of floating-point numbers by the kernels of panel_product.h.
#pragma once

#include <memory>

#include "backends/cpu/linear.h"

namespace embedding {

// Whether this processor multiplies bf16 by a kernel of ours, which is when a bf16 product is
// faster than an f32 one.
bool PanelsMultiplyBf16();

// Of kF32, kF16 and, where PanelsMultiplyBf16(), kBF16. A weight of f16 takes half the memory, and
// half the time to read, which is what a product of a few rows costs; one beyond f16's largest
// number, 65,504, becomes infinite.
std::unique_ptr<Linear> PackPanelLinear(ThreadTeam& team, LinearTypes types,
                                        const LinearWeights& weights, Activation activation,
                                        bool gated = false);

}  // namespace embedding
