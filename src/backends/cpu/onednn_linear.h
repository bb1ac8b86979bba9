// Matrix products of bf16 by oneDNN, for processors with AMX. The one place that knows oneDNN,
// which is built in on x86-64 (EMBEDDING_ONEDNN); without it, and on Arm, no processor is said to
// have AMX.
#pragma once

#include <memory>
#include <string>

#include "backends/cpu/linear.h"

namespace embedding {

#if defined(EMBEDDING_ONEDNN)

// As PackLinear, of bf16. Besides the weight it holds a few primitives, whatever numbers of rows it
// meets. Throws dnnl::error, a std::exception, where the processor has no such product.
std::unique_ptr<Linear> PackOneDnnLinear(ThreadTeam& team, DType output,
                                         const LinearWeights& weights, Activation activation);

// Whether this processor has tiles of bf16, AMX, which nothing of our own multiplies with.
bool OneDnnUsesAmx();

// Keeps oneDNN from using more than AVX2; false if it has already made a product with more.
bool LimitOneDnnToAvx2();

// Its version and the instruction set that it uses.
std::string OneDnnName();

#else

constexpr bool OneDnnUsesAmx() { return false; }
constexpr bool LimitOneDnnToAvx2() { return true; }
inline std::string OneDnnName() { return {}; }

#endif

}  // namespace embedding
