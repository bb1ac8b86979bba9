// Matrix products by oneDNN, with weights laid out as its kernels walk them. With AVX-512 this
// gives 93-100 % of the machine's peak from 8 rows on (bench/RESULTS.md). The one place that knows
// oneDNN.
#pragma once

#include <memory>

#include "backends/cpu/matmul.h"

namespace embedding {

// Throws dnnl::error, a std::exception, where the processor has no such product.
template <typename In, typename Out>
std::unique_ptr<MatMul<In, Out>> PackOneDnnMatMul(const LinearParameters& parameters,
                                                  Activation activation);

extern template std::unique_ptr<MatMul<float, float>> PackOneDnnMatMul(const LinearParameters&,
                                                                       Activation);
extern template std::unique_ptr<MatMul<BFloat16, BFloat16>> PackOneDnnMatMul(
    const LinearParameters&, Activation);
extern template std::unique_ptr<MatMul<BFloat16, float>> PackOneDnnMatMul(const LinearParameters&,
                                                                          Activation);

// Whether oneDNN has packed f32 kernels for this processor: AVX-512. With AVX2 it calls a general
// product that reaches 45 % of the peak with few rows, on Arm its reference code.
bool OneDnnPacksF32();

// Whether this processor multiplies bf16 natively (AVX512-BF16, AMX), which is when a bf16 product
// is faster than an f32 one.
bool OneDnnPacksBf16();

// Keeps oneDNN from using more than AVX2; false if it has already made a product with more.
bool LimitOneDnnToAvx2();

}  // namespace embedding
