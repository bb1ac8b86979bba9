// Matrix products of f32 by a BLAS: Accelerate on a Mac, whose matrix units nothing else reaches
// (EMBEDDING_BLAS, which is also OpenBLAS or BLIS). The one place that knows it.
#pragma once

#include <memory>
#include <string>

#include "backends/cpu/linear.h"

namespace embedding {

#if defined(EMBEDDING_BLAS)

// As PackLinear, of f32. Nothing where this BLAS gives a row another result at another place: it
// is tried with the weight itself, for no BLAS promises it.
std::unique_ptr<Linear> PackBlasLinear(ThreadTeam& team, DType output, const LinearWeights& weights,
                                       Activation activation);

// Its name and version.
std::string BlasName();

#else

inline std::string BlasName() { return {}; }

#endif

}  // namespace embedding
