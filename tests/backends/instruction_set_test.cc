#include "backends/cpu/instruction_set.h"

#include <gtest/gtest.h>

#include "backends/cpu/micro_kernels.h"
#include "hwy/targets.h"

namespace embedding {
namespace {

// Weights that are packed for one instruction set's kernels are nothing to another's.
TEST(LimitToAvx2, IsRefusedOnceAKernelIsChosen) {
  F32Kernel();
  const auto before = hwy::SupportedTargets();
  const Status status = LimitToAvx2();
  if (status.ok()) {
    EXPECT_EQ(before, hwy::SupportedTargets()) << "there was nothing to limit";
  } else {
    EXPECT_EQ(status.error().code, ErrorCode::kDeviceUnavailable);
  }
  EXPECT_EQ(before, hwy::SupportedTargets());
}

}  // namespace
}  // namespace embedding
