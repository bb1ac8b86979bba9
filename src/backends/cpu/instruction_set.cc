#include "backends/cpu/instruction_set.h"

#include <fmt/format.h>

#include <cstdint>
#include <utility>

#ifdef __GLIBC__
#include <gnu/libc-version.h>
#endif

#include "backends/cpu/blas_linear.h"
#include "backends/cpu/cpu_extensions.h"
#include "hwy/targets.h"

namespace embedding {

namespace {

Error Unavailable(std::string message) {
  return {ErrorCode::kDeviceUnavailable, std::move(message), {}};
}
Error TooLate() {
  return Unavailable("the instruction set can be limited only before a model is loaded");
}

// Of Highway's targets those that are compiled and may be used. Highway 1.0 chooses anew when it is
// asked, without regard to those that it was told to leave out.
int64_t Targets() {
  const auto targets = static_cast<int64_t>(hwy::SupportedTargets());
  hwy::GetChosenTarget().Update(targets);
  return targets & HWY_TARGETS;
}

// What is left of a processor.
struct Limit {
  // Of x86-64: the vectors that are the most, a target of Highway's; 0 of Arm's, which have NEON.
  int64_t vectors;
  const char* vectors_name;
  uint32_t extensions;  // flags of CpuExtension
  // Of these one that it has to have, and its name.
  uint32_t needed = 0;
  const char* needed_name = "";
};

constexpr Limit kAvx2 = {HWY_AVX2, "AVX2", 0};
constexpr Limit kAvxVnni = {HWY_AVX2, "AVX2", kX86AvxVnni, kX86AvxVnni, "AVX-VNNI's dot products"};
constexpr Limit kAvx512 = {HWY_AVX3, "AVX-512", kX86AvxVnni | kX86Avx512Vnni | kX86Avx512Bf16};
constexpr Limit kNeon = {0, "NEON", 0};
constexpr Limit kDotprod = {0, "NEON", kArmDotprod, kArmDotprod, "NEON's dot products (dotprod)"};

// Errors: kDeviceUnavailable naming what the processor does not have.
Status LimitExtensions(const Limit& limit) {
  if ((CpuExtensionsPresent() & limit.needed) != limit.needed) {
    return Unavailable(fmt::format("this processor does not have {}", limit.needed_name));
  }
  if (!LimitCpuExtensions(limit.extensions)) return TooLate();
  return {};
}

#if defined(__x86_64__)

Status LimitTo(const Limit& limit) {
  if (limit.vectors == 0) {
    return Unavailable("only an Arm processor of 64 bits can be limited to NEON");
  }
  const bool chosen = hwy::GetChosenTarget().IsInitialized();  // asking what there is chooses too
  const int64_t targets = Targets();
  const int64_t beyond = limit.vectors - 1;  // a better instruction set is a lower bit
  if ((targets & limit.vectors) == 0) {
    return Unavailable(fmt::format("this processor does not have {}", limit.vectors_name));
  }
  if (chosen && (targets & beyond) != 0) return TooLate();
  RETURN_IF_ERROR(LimitExtensions(limit));
  if ((targets & beyond) != 0) hwy::DisableTargets(beyond);
  return {};
}

#elif defined(__aarch64__)

Status LimitTo(const Limit& limit) {
  if (limit.vectors != 0) {
    return Unavailable(
        fmt::format("only an x86-64 processor can be limited to {}", limit.vectors_name));
  }
  return LimitExtensions(limit);
}

#else

Status LimitTo(const Limit&) { return Unavailable("this processor has one instruction set"); }

#endif

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
      return LimitTo(kAvx2);
    case InstructionSet::kAvxVnni:
      return LimitTo(kAvxVnni);
    case InstructionSet::kAvx512:
      return LimitTo(kAvx512);
    case InstructionSet::kNeon:
      return LimitTo(kNeon);
    case InstructionSet::kDotprod:
      return LimitTo(kDotprod);
  }
  return Error{ErrorCode::kInternal, "no such instruction set", {}};
}

std::string CpuNumerics() {
#ifdef __GLIBC__
  const char* const libc = gnu_get_libc_version();
#else
  const char* const libc = "";
#endif
  std::string numerics = fmt::format("targets {:x} blas {} libc {}", Targets(), BlasName(), libc);
  if (const std::string extensions = CpuExtensionNames(); !extensions.empty()) {
    numerics += " with " + extensions;
  }
  return numerics;
}

}  // namespace embedding
