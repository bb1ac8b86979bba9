#include "backends/cpu/instruction_set.h"

#include <fmt/format.h>

#ifdef __GLIBC__
#include <gnu/libc-version.h>
#endif

#include "backends/cpu/blas_linear.h"
#include "backends/cpu/onednn_linear.h"
#include "backends/cpu/panel_linear.h"
#include "hwy/targets.h"

namespace embedding {

Status LimitToAvx2() {
#if defined(EMBEDDING_BLAS)
  return Error{ErrorCode::kDeviceUnavailable,
               "this build multiplies by a BLAS, which chooses its instructions itself",
               {}};
#elif defined(__x86_64__)
  const bool chosen = hwy::GetChosenTarget().IsInitialized();  // asking what there is chooses too
  constexpr auto kBeyondAvx2 = HWY_AVX2 - 1;  // a better instruction set is a lower bit
  if ((hwy::SupportedTargets() & HWY_AVX2) == 0) {
    return Error{ErrorCode::kDeviceUnavailable, "this processor does not have AVX2", {}};
  }
  if ((hwy::SupportedTargets() & kBeyondAvx2) == 0) return {};
  if (chosen || !LimitOneDnnToAvx2()) {
    return Error{ErrorCode::kDeviceUnavailable,
                 "the instruction set can be limited only before a model is loaded",
                 {}};
  }
  hwy::DisableTargets(kBeyondAvx2);
  return {};
#else
  return Error{
      ErrorCode::kDeviceUnavailable, "only an x86-64 processor can be limited to AVX2", {}};
#endif
}

std::string CpuNumerics() {
#ifdef __GLIBC__
  const char* const libc = gnu_get_libc_version();
#else
  const char* const libc = "";
#endif
  return fmt::format("targets {:x} bf16 {} onednn {} blas {} libc {}", hwy::SupportedTargets(),
                     PanelsMultiplyBf16(), OneDnnName(), BlasName(), libc);
}

}  // namespace embedding
