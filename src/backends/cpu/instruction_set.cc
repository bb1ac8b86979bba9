#include "backends/cpu/instruction_set.h"

#include <fmt/format.h>

#ifdef __GLIBC__
#include <gnu/libc-version.h>
#endif

#include "backends/cpu/arm_extensions.h"
#include "backends/cpu/blas_linear.h"
#include "backends/cpu/onednn_linear.h"
#include "backends/cpu/panel_linear.h"
#include "hwy/targets.h"

namespace embedding {

namespace {

Error Unavailable(const char* message) { return {ErrorCode::kDeviceUnavailable, message, {}}; }
Error TooLate() {
  return Unavailable("the instruction set can be limited only before a model is loaded");
}

#if defined(__x86_64__)

Status LimitToAvx2() {
  const bool chosen = hwy::GetChosenTarget().IsInitialized();  // asking what there is chooses too
  constexpr auto kBeyondAvx2 = HWY_AVX2 - 1;  // a better instruction set is a lower bit
  if ((hwy::SupportedTargets() & HWY_AVX2) == 0) {
    return Unavailable("this processor does not have AVX2");
  }
  if ((hwy::SupportedTargets() & kBeyondAvx2) == 0) return {};
  if (chosen || !LimitOneDnnToAvx2()) return TooLate();
  hwy::DisableTargets(kBeyondAvx2);
  return {};
}

#else

Status LimitToAvx2() { return Unavailable("only an x86-64 processor can be limited to AVX2"); }

#endif

// `wanted` are flags of ArmExtension.
Status LimitToNeon(uint32_t wanted) {
#if defined(__aarch64__)
  if ((ArmExtensionsPresent() & wanted) != wanted) {
    return Unavailable("this processor does not have NEON's dot products (dotprod)");
  }
  if (!LimitArmExtensions(wanted)) return TooLate();
  return {};
#else
  static_cast<void>(wanted);
  return Unavailable("only an Arm processor of 64 bits can be limited to NEON");
#endif
}

}  // namespace

Status LimitInstructionSet(InstructionSet set) {
#if defined(EMBEDDING_BLAS)
  if (set != InstructionSet::kBest)
    return Unavailable("this build multiplies by a BLAS, which chooses its instructions itself");
#endif
  switch (set) {
    case InstructionSet::kBest:
      return {};
    case InstructionSet::kAvx2:
      return LimitToAvx2();
    case InstructionSet::kNeon:
      return LimitToNeon(0);
    case InstructionSet::kDotprod:
      return LimitToNeon(kArmDotprod);
  }
  return Error{ErrorCode::kInternal, "no such instruction set", {}};
}

std::string CpuNumerics() {
#ifdef __GLIBC__
  const char* const libc = gnu_get_libc_version();
#else
  const char* const libc = "";
#endif
  std::string numerics =
      fmt::format("targets {:x} bf16 {} onednn {} blas {} libc {}", hwy::SupportedTargets(),
                  PanelsMultiplyBf16(), OneDnnName(), BlasName(), libc);
  if (const std::string extensions = ArmExtensionNames(); !extensions.empty()) {
    numerics += " arm " + extensions;
  }
  return numerics;
}

}  // namespace embedding
