// How much of the processor's instruction set computing may use: to see on a large machine what a
// small one would do.
#pragma once

#include <string>

#include "base/result.h"

namespace embedding {

// Keeps whatever is chosen from now on, our own kernels and oneDNN's products alike, within AVX2,
// FMA and F16C. Must precede the first model; once it has, calling it again does nothing. Not
// thread-safe.
// Errors: kDeviceUnavailable where the processor is not an x86-64 one with AVX2, where more has
// already been chosen, or in a build with a BLAS.
Status LimitToAvx2();

// Backend::numerics(): the kernels that this processor gets, ours, oneDNN's and a BLAS's, and the
// library of mathematical functions.
std::string CpuNumerics();

}  // namespace embedding
