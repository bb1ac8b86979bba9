#include "backends/cpu/instruction_set.h"

#include <gtest/gtest.h>

#include <cstddef>
#include <cstdint>
#include <cstdlib>
#include <initializer_list>
#include <optional>

#include "backends/cpu/cpu_extensions.h"
#include "backends/cpu/micro_kernels.h"
#include "backends/cpu/slices.h"
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

// Each kernel by what it takes at once. Choosing one executes none of its instructions.
TEST(X86Extensions, ChooseTheKernels) {
  struct Case {
    uint32_t extensions;
    size_t int8_group;
    std::optional<size_t> int8_width;  // if it is not as wide as Highway's vectors
    bool bf16, tiles;
  };
  constexpr uint32_t kAvx512 = kX86Avx512Vnni | kX86Avx512Bf16;
  for (const Case& expected :
       std::initializer_list<Case>{{0, 2, std::nullopt, false, false},
                                   {kX86AvxVnni, 4, 16, false, false},
                                   {kX86Avx512Vnni, 4, 64, false, false},
                                   {kX86AvxVnni | kAvx512, 4, 64, true, false},
                                   {kX86AvxVnni | kAvx512 | kX86Amx, 4, 32, true, true}}) {
    SetCpuExtensionsForTest(expected.extensions);
    SCOPED_TRACE(CpuExtensionNames());
    const MicroKernel int8 = Int8Kernel();
    EXPECT_EQ(int8.group, expected.int8_group);
    EXPECT_EQ(int8.width, expected.int8_width.value_or(int8.width));
    EXPECT_EQ(int8.tiles, expected.tiles);
    EXPECT_EQ(F32SlicesKernel(64).has_value(), expected.tiles);
    EXPECT_EQ(F32SlicesKernel(kMostSlicedFeatures).has_value(), expected.tiles);
    EXPECT_FALSE(F32SlicesKernel(kMostSlicedFeatures + 1).has_value());
    EXPECT_FALSE(F32SlicesKernel(1).has_value());  // which would not leave a number what it is
    for (const auto& kernel : {Bf16Kernel(), Bf16PairsKernel()}) {
      ASSERT_EQ(kernel.has_value(), expected.bf16);
      if (!kernel) continue;
      EXPECT_EQ(kernel->tiles, expected.tiles);
      EXPECT_EQ(kernel->release != nullptr, expected.tiles);
      EXPECT_NE(kernel->round, nullptr);
    }
  }
  SetCpuExtensionsForTest(std::nullopt);
}

// In a process of its own, where nothing is chosen yet.
TEST(LimitInstructionSetDeathTest, HoldsWhateverIsAskedAfterwards) {
  GTEST_FLAG_SET(death_test_style, "threadsafe");
  const auto limit = [] {
    if (!LimitInstructionSet(InstructionSet::kAvx2).ok()) std::exit(1);
    const size_t width = F32Kernel().width;
    if (CpuExtensions() != 0 || Int8Kernel().group != 2) std::exit(2);
    // More is refused, or is nothing on a processor that does not have it; the same is not.
    for (const InstructionSet more : {InstructionSet::kAvxVnni, InstructionSet::kAvx512}) {
      static_cast<void>(LimitInstructionSet(more));
    }
    if (!LimitInstructionSet(InstructionSet::kAvx2).ok()) std::exit(3);
    if (CpuExtensions() != 0 || Int8Kernel().group != 2) std::exit(4);
    if (CpuNumerics().empty() || F32Kernel().width != width) std::exit(5);
    std::exit(0);
  };
  if (__builtin_cpu_supports("avx2") == 0) GTEST_SKIP() << "this processor has no AVX2";
  EXPECT_EXIT(limit(), testing::ExitedWithCode(0), "");
}

// Highway chooses anew when it is asked for what there is.
TEST(CpuNumericsDeathTest, LeavesOutWhatHasBeenLimited) {
  GTEST_FLAG_SET(death_test_style, "threadsafe");
  const auto ask = [] {
    const int64_t best = hwy::SupportedTargets() & HWY_TARGETS;
    hwy::DisableTargets(best & -best);
    const size_t chosen = (F32Kernel(), hwy::GetChosenTarget().GetIndex());
    CpuNumerics();
    std::exit(hwy::GetChosenTarget().GetIndex() == chosen ? 0 : 1);
  };
  EXPECT_EXIT(ask(), testing::ExitedWithCode(0), "");
}

#endif

#if defined(__aarch64__)

// Each kernel by what it takes at once.
TEST(ArmExtensions, ChooseTheKernels) {
  for (const uint32_t limit : std::initializer_list<uint32_t>{
           0, kArmDotprod, kArmDotprod | kArmI8mm, kArmBf16, kArmDotprod | kArmI8mm | kArmBf16}) {
    SetCpuExtensionsForTest(limit);
    SCOPED_TRACE(CpuExtensionNames());
    const uint32_t extensions = CpuExtensions();
    const bool i8mm = (extensions & kArmI8mm) != 0;
    const bool dotprod = (extensions & kArmDotprod) != 0;
    EXPECT_EQ(Int8Kernel().group, size_t{i8mm ? 8U : dotprod ? 4U : 2U});
    EXPECT_EQ(Bf16Kernel().has_value(), (extensions & kArmBf16) != 0);
    EXPECT_EQ(Bf16PairsKernel().has_value(), (extensions & kArmBf16) != 0);
  }
  SetCpuExtensionsForTest(std::nullopt);
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
