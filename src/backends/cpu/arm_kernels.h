// The kernels that Arm's processors have beside those of NEON; nothing where this one has none, or
// may not use it (cpu_extensions.h).
#pragma once

#include <optional>

#include "backends/cpu/micro_kernels.h"

namespace embedding {

// As those of micro_kernels.h.
std::optional<MicroKernel> ArmInt8Kernel();
std::optional<MicroKernel> ArmBf16Kernel();
std::optional<MicroKernel> ArmBf16PairsKernel();

}  // namespace embedding
