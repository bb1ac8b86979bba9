#include "backends/cpu/instruction_set.h"

#include <gtest/gtest.h>

#include <cstddef>
#include <cstdint>
#include <cstdlib>
#include <initializer_list>

#include "backends/cpu/cpu_extensions.h"
#include "backends/cpu/micro_kernels.h"
#include "hwy/targets.h"

namespace embedding {
namespace {

// Weights that are packed for one instruction set's kernels are nothing to another's.
TEST(LimitInstructionSet, IsRefusedOnceAKernelIsChosen) {
  F32Kernel();
  Int8Kernel();
  const auto targets = hwy::SupportedTargets();
  const uint32_t extensions = CpuExtensions();
  for (const InstructionSet set :
       {InstructionSet::kAvx2, InstructionSet::kAvxVnni, InstructionSet::kAvx512,
        InstructionSet::kNeon, InstructionSet::kDotprod}) {
    const Status status = LimitInstructionSet(set);
    // Where it is not refused there was nothing to limit.
    EXPECT_TRUE(status.ok() || status.error().code == ErrorCode::kDeviceUnavailable);
    EXPECT_EQ(targets, hwy::SupportedTargets());
    EXPECT_EQ(extensions, CpuExtensions());
  }
  EXPECT_TRUE(LimitInstructionSet(InstructionSet::kBest).ok());
}

#if defined(__x86_64__)

// Each kernel by what it takes at once, of those that this processor has.
TEST(X86Extensions, ChooseTheKernels) {
  for (const uint32_t limit : std::initializer_list<uint32_t>{
           0, kX86AvxVnni, kX86AvxVnni | kX86Avx512Vnni | kX86Avx512Bf16, ~uint32_t{0}}) {
    SetCpuExtensionsForTest(limit);
    SCOPED_TRACE(CpuExtensionNames());
    const bool amx = MayUse(kX86Amx);
    const MicroKernel int8 = Int8Kernel();
    EXPECT_EQ(int8.tiles, amx);
    EXPECT_EQ(int8.width, size_t{amx ? 32U : MayUse(kX86Avx512Vnni) ? 64U : int8.width});
    EXPECT_EQ(int8.group == 4, MayUse(kX86Avx512Vnni) || MayUse(kX86AvxVnni));
    EXPECT_EQ(Bf16Kernel().has_value(), MayUse(kX86Avx512Bf16));
    EXPECT_EQ(Bf16Kernel() && Bf16Kernel()->tiles, amx);
    EXPECT_EQ(Bf16PairsKernel().has_value(), MayUse(kX86Avx512Bf16));
  }
  SetCpuExtensionsForTest(~0U);
}

#endif

#if defined(__aarch64__)

// Each kernel by what it takes at once.
TEST(ArmExtensions, ChooseTheKernels) {
  for (const uint32_t limit : std::initializer_list<uint32_t>{
           0, kArmDotprod, kArmDotprod | kArmI8mm, kArmBf16, ~uint32_t{0}}) {
    SetCpuExtensionsForTest(limit);
    SCOPED_TRACE(CpuExtensionNames());
    const uint32_t extensions = CpuExtensions();
    const bool i8mm = (extensions & kArmI8mm) != 0;
    const bool dotprod = (extensions & kArmDotprod) != 0;
    EXPECT_EQ(Int8Kernel().group, size_t{i8mm ? 8U : dotprod ? 4U : 2U});
    EXPECT_EQ(Bf16Kernel().has_value(), (extensions & kArmBf16) != 0);
    EXPECT_EQ(Bf16PairsKernel().has_value(), (extensions & kArmBf16) != 0);
  }
  SetCpuExtensionsForTest(~0U);
}

// ./test.sh arm64 runs this on several emulated processors.
TEST(ArmExtensions, AreThoseOfTheProcessorThatWasNamed) {
  const char* const expected = std::getenv("EXPECTED_ARM_EXTENSIONS");
  if (expected == nullptr) GTEST_SKIP() << "nobody told which ones these are";
  EXPECT_EQ(CpuExtensionNames(), expected);
}

#endif

}  // namespace
}  // namespace embedding
