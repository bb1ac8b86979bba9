// The f32 matrix product of our own, for processors that oneDNN has no packed kernels for (AVX2 and
// NEON) and for weights in f16. See panel_matmul.cc for how it works.
#pragma once

#include <memory>

#include "backends/cpu/matmul.h"

namespace embedding {

std::unique_ptr<MatMul<float, float>> PackPanelMatMul(const LinearParameters& parameters,
                                                      Activation activation);

// The same with the weight rounded to f16: it takes half the memory, and half the time to read,
// which is what a product of a few rows costs. The products are of f32. A weight beyond f16's
// largest number, 65,504, becomes infinite.
std::unique_ptr<MatMul<float, float>> PackF16PanelMatMul(const LinearParameters& parameters,
                                                         Activation activation);

}  // namespace embedding
