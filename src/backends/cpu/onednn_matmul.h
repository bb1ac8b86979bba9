// Matrix products of bf16 by oneDNN, for processors with AMX. The one place that knows oneDNN,
// which only x86-64 needs.
#pragma once

#include <memory>

#include "backends/cpu/matmul.h"

namespace embedding {

#if defined(__x86_64__)

// As PackMatMul. Besides the weight it holds a few primitives, whatever numbers of rows it meets.
// Throws dnnl::error, a std::exception, where the processor has no such product.
template <typename In, typename Out>
std::unique_ptr<MatMul<In, Out>> PackOneDnnMatMul(ThreadTeam& team,
                                                  const LinearParameters& parameters,
                                                  Activation activation);

extern template std::unique_ptr<MatMul<BFloat16, BFloat16>> PackOneDnnMatMul(
    ThreadTeam&, const LinearParameters&, Activation);
extern template std::unique_ptr<MatMul<BFloat16, float>> PackOneDnnMatMul(ThreadTeam&,
                                                                          const LinearParameters&,
                                                                          Activation);

// Whether this processor has tiles of bf16, AMX, which nothing of our own multiplies with.
bool OneDnnUsesAmx();

// Keeps oneDNN from using more than AVX2; false if it has already made a product with more.
bool LimitOneDnnToAvx2();

#else

constexpr bool OneDnnUsesAmx() { return false; }
constexpr bool LimitOneDnnToAvx2() { return true; }

#endif

}  // namespace embedding
