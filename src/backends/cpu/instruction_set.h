// How much of the processor's instruction set computing may use: to see on a large machine what a
// small one would do.
#pragma once

#include <string>

#include "base/result.h"
#include "embedding/device.h"

namespace embedding {

// Keeps whatever kernels are chosen from now on within the set. Must precede the first model; once
// it has, calling it again does nothing. Not thread-safe. Errors: kDeviceUnavailable where the
// processor does not have the set, where more has already been chosen, or in a build with a BLAS.
Status LimitInstructionSet(InstructionSet set);

// Backend::numerics(): the kernels that this processor gets, ours and a BLAS's, and the
// library of mathematical functions.
std::string CpuNumerics();

}  // namespace embedding
