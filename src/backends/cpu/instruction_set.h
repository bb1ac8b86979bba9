// How much of the processor's instruction set computing may use: to see on a large machine what a
// small one would do.
#pragma once

#include "base/result.h"

namespace embedding {

// Whatever is compiled and detected later, oneDNN's products and our own kernels alike, stays
// within AVX2, FMA and F16C. Must precede the first model; not thread-safe.
// Errors: kDeviceUnavailable where there is nothing to limit (not an x86-64 processor, or without
// AVX2), or where oneDNN has already chosen.
Status LimitToAvx2();

}  // namespace embedding
