#include "backends/cpu/arm_kernels.h"

#if defined(__aarch64__)

#include "backends/cpu/cpu_extensions.h"
#include "backends/cpu/neon_tiles.h"

namespace embedding {
namespace {

// Bytes are multiplied with bytes of the same kind. Those of the weight are signed.
constexpr int32_t kToSigned = 128;

}  // namespace

std::optional<MicroKernel> ArmInt8Kernel() {
  if (MayUse(kArmI8mm)) {
    return MicroKernel{.group = 8,
                       .width = kNeonMatrixWidth,
                       .rows = kNeonMatrixRows,
                       .multiply = MultiplyInt8I8mm,
                       .word_bytes = 8,
                       .rows_at_once = 2,
                       .left_shift = kToSigned};
  }
  if (MayUse(kArmDotprod)) {
    return MicroKernel{.group = 4,
                       .width = kNeonDotWidth,
                       .rows = kNeonDotRows,
                       .multiply = MultiplyInt8Dotprod,
                       .left_shift = kToSigned};
  }
  return std::nullopt;
}

std::optional<MicroKernel> ArmBf16Kernel() {
  if (!MayUse(kArmBf16)) return std::nullopt;
  return MicroKernel{.group = 4,
                     .width = kNeonMatrixWidth,
                     .rows = kNeonMatrixRows,
                     .multiply = MultiplyBf16Matrix,
                     .word_bytes = 8,
                     .rows_at_once = 2,
                     .round = RoundToBf16ByNeon};
}

std::optional<MicroKernel> ArmBf16PairsKernel() {
  if (!MayUse(kArmBf16)) return std::nullopt;
  return MicroKernel{.group = 2,
                     .width = kNeonDotWidth,
                     .rows = kNeonDotRows,
                     .multiply = MultiplyBf16Dots,
                     .round = RoundToBf16ByNeon};
}

}  // namespace embedding

#else

namespace embedding {

std::optional<MicroKernel> ArmInt8Kernel() { return std::nullopt; }
std::optional<MicroKernel> ArmBf16Kernel() { return std::nullopt; }
std::optional<MicroKernel> ArmBf16PairsKernel() { return std::nullopt; }

}  // namespace embedding

#endif
