// Matrix products of bf16 by oneDNN, with weights laid out as its kernels walk them. The one place
// that knows oneDNN.
#pragma once

#include <memory>

#include "backends/cpu/matmul.h"

namespace embedding {

// Throws dnnl::error, a std::exception, where the processor has no such product.
template <typename In, typename Out>
std::unique_ptr<MatMul<In, Out>> PackOneDnnMatMul(const LinearParameters& parameters,
                                                  Activation activation);

extern template std::unique_ptr<MatMul<BFloat16, BFloat16>> PackOneDnnMatMul(
    const LinearParameters&, Activation);
extern template std::unique_ptr<MatMul<BFloat16, float>> PackOneDnnMatMul(const LinearParameters&,
                                                                          Activation);

// Whether this processor has tiles of bf16, AMX, which nothing of our own multiplies with.
bool OneDnnUsesAmx();

// Keeps oneDNN from using more than AVX2; false if it has already made a product with more.
bool LimitOneDnnToAvx2();

}  // namespace embedding
