// The f32 matrix product of our own, for processors that oneDNN has no packed kernels for: AVX2 and
// NEON. See panel_matmul.cc for how it works.
#pragma once

#include <memory>

#include "backends/cpu/matmul.h"

namespace embedding {

std::unique_ptr<MatMul<float, float>> PackPanelMatMul(const LinearParameters& parameters,
                                                      Activation activation);

}  // namespace embedding
