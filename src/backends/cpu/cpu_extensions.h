// What processors have beside what every one of their kind has, and products of our own multiply
// by.
//
// Thread-safety: all functions.
#pragma once

#include <cstdint>
#include <optional>
#include <string>

namespace embedding {

// Flags.
enum CpuExtension : uint32_t {
  // Of Arm's 64 bits, beside NEON.
  // FEAT_DotProd, sums of 4 products of bytes: Cortex-A76, Graviton 2, M1 and later ones.
  kArmDotprod = 1,
  // FEAT_I8MM, products of matrices of bytes, 2 x 8 by 8 x 2: Graviton 3, M2 and later ones.
  kArmI8mm = 2,
  // FEAT_BF16, dot products and products of matrices of bf16: the same processors.
  kArmBf16 = 4,
  // Of x86-64, beside AVX2.
  // AVX-VNNI, sums of 4 products of bytes in 256 bits: Intel's from Alder Lake on, Zen 5.
  kX86AvxVnni = 8,
  // AVX512-VNNI, the same in 512 bits: Cascade Lake, Ice Lake, Zen 4 and later ones.
  kX86Avx512Vnni = 16,
  // AVX512-BF16, sums of 2 products of bf16: Cooper Lake, Sapphire Rapids, Zen 4.
  kX86Avx512Bf16 = 32,
  // AMX with its products of bytes and of bf16, of tiles of 16 x 64 bytes: Intel's servers from
  // Sapphire Rapids on. Said to be there only beside the two before it.
  kX86Amx = 64,
};

// Those that this processor and its system have.
uint32_t CpuExtensionsPresent();

// Those that may be used: those that are present, within the limit. Asking chooses them, and asks
// the system to let this process use AMX if that is one of them: of a system that does not it is
// none.
uint32_t CpuExtensions();
// Whether all of these may be used.
inline bool MayUse(uint32_t extensions) { return (CpuExtensions() & extensions) == extensions; }
// Lets no others than these be used. Once they have been chosen it has no effect; false if others
// have.
bool LimitCpuExtensions(uint32_t extensions);
// From now on these may be used, whatever the processor has; nothing ends it.
void SetCpuExtensionsForTest(std::optional<uint32_t> extensions);
// Those that may be used, "dotprod i8mm bf16".
std::string CpuExtensionNames();

}  // namespace embedding
