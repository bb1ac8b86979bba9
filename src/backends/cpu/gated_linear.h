// A gated product upon one whose library knows no gates.
#pragma once

#include <memory>

#include "backends/cpu/linear.h"

namespace embedding {

// `both` gives f32, [rows, both_features]: the gate's features, then what is gated. As
// PackGatedLinear.
std::unique_ptr<Linear> MakeGatedLinear(std::unique_ptr<Linear> both, DType output,
                                        size_t both_features, Activation activation);

}  // namespace embedding
