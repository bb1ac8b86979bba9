// What Arm's processors have beside NEON, which all those of 64 bits have, and products can use.
//
// Thread-safety: all functions.
#pragma once

#include <cstdint>
#include <string>

namespace embedding {

// Flags.
enum ArmExtension : uint32_t {
  // FEAT_DotProd, sums of 4 products of bytes: Cortex-A76, Graviton 2, M1 and later ones.
  kArmDotprod = 1,
  // FEAT_I8MM, products of matrices of bytes, 2 x 8 by 8 x 2: Graviton 3, M2 and later ones.
  kArmI8mm = 2,
  // FEAT_BF16, dot products and products of matrices of bf16: the same processors.
  kArmBf16 = 4,
};

// Those that this processor and its system have; none where it is no Arm.
uint32_t ArmExtensionsPresent();

// Those that may be used: those that are present, within the limit. Asking chooses them.
uint32_t ArmExtensions();
// Lets no others than these be used. False, and without effect, where others have been chosen
// already.
bool LimitArmExtensions(uint32_t extensions);
// The same whatever has been chosen; all are let again by ~0U.
void SetArmExtensionsForTest(uint32_t extensions);
// Those that may be used, "dotprod i8mm bf16".
std::string ArmExtensionNames();

}  // namespace embedding
