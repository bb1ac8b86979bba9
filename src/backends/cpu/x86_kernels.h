// The kernels that x86-64's processors have beside those for AVX2; nothing where this one has none,
// or may not use it (cpu_extensions.h).
#pragma once

#include <optional>

#include "backends/cpu/micro_kernels.h"

namespace embedding {

// As those of micro_kernels.h.
std::optional<MicroKernel> X86Int8Kernel();
std::optional<MicroKernel> X86Bf16Kernel();  // of pairs
std::optional<MicroKernel> X86F32SlicesKernel();

}  // namespace embedding
