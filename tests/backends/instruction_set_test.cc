#include "backends/cpu/instruction_set.h"

#include <gtest/gtest.h>

#include <cstddef>
#include <cstdint>
#include <cstdlib>
#include <initializer_list>

#include "backends/cpu/arm_extensions.h"
#include "backends/cpu/micro_kernels.h"
#include "hwy/targets.h"

namespace embedding {
namespace {

// Weights that are packed for one instruction set's kernels are nothing to another's.
TEST(LimitInstructionSet, IsRefusedOnceAKernelIsChosen) {
  F32Kernel();
  Int8Kernel();
  const auto targets = hwy::SupportedTargets();
  const uint32_t extensions = ArmExtensions();
  for (const InstructionSet set :
       {InstructionSet::kAvx2, InstructionSet::kNeon, InstructionSet::kDotprod}) {
    const Status status = LimitInstructionSet(set);
    // Where it is not refused there was nothing to limit.
    EXPECT_TRUE(status.ok() || status.error().code == ErrorCode::kDeviceUnavailable);
    EXPECT_EQ(targets, hwy::SupportedTargets());
    EXPECT_EQ(extensions, ArmExtensions());
  }
  EXPECT_TRUE(LimitInstructionSet(InstructionSet::kBest).ok());
}

#if defined(__aarch64__)

// Each kernel by what it takes at once.
TEST(ArmExtensions, ChooseTheKernels) {
  for (const uint32_t limit : std::initializer_list<uint32_t>{
           0, kArmDotprod, kArmDotprod | kArmI8mm, kArmBf16, ~uint32_t{0}}) {
    SetArmExtensionsForTest(limit);
    SCOPED_TRACE(ArmExtensionNames());
    const uint32_t extensions = ArmExtensions();
    const bool i8mm = (extensions & kArmI8mm) != 0;
    const bool dotprod = (extensions & kArmDotprod) != 0;
    EXPECT_EQ(Int8Kernel().group, size_t{i8mm ? 8U : dotprod ? 4U : 2U});
    EXPECT_EQ(Bf16Kernel().has_value(), (extensions & kArmBf16) != 0);
    EXPECT_EQ(Bf16PairsKernel().has_value(), (extensions & kArmBf16) != 0);
  }
  SetArmExtensionsForTest(~0U);
}

// ./test.sh arm64 runs this on several emulated processors.
TEST(ArmExtensions, AreThoseOfTheProcessorThatWasNamed) {
  const char* const expected = std::getenv("EXPECTED_ARM_EXTENSIONS");
  if (expected == nullptr) GTEST_SKIP() << "nobody told which ones these are";
  EXPECT_EQ(ArmExtensionNames(), expected);
}

#endif

}  // namespace
}  // namespace embedding
