#include "backends/cpu/instruction_set.h"

#include "backends/cpu/onednn_linear.h"
#include "hwy/targets.h"

namespace embedding {

Status LimitToAvx2() {
#if defined(__x86_64__)
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

}  // namespace embedding
