// Runs a test body once for every instruction set that this machine and this build have; in a
// program with TEST_BEST_TARGET_ALONE, whose kernels under test are the same with all of them,
// once.
#pragma once

#include <gtest/gtest.h>

#include <cstdint>
#include <optional>
#include <vector>

#include "backends/cpu/cpu_extensions.h"
#include "hwy/targets.h"

namespace embedding {

// Of the processor's extensions those that go with a target.
inline uint32_t ExtensionsBeside(int64_t target) {
#if defined(__x86_64__)
  if (target > HWY_AVX2) return 0;
  if (target > HWY_AVX3) return kX86AvxVnni;
#else
  static_cast<void>(target);
#endif
  return ~0U;
}

// The body with all of these that the processor has, with less of them, and with none.
template <typename Body>
void ForEachLevelOf(uint32_t extensions, const Body& body) {
  const uint32_t all = CpuExtensions() & extensions;
  std::vector<uint32_t> levels{all};
  for (const uint32_t less : {all & ~kX86Amx, all & (kArmDotprod | kX86AvxVnni), 0U}) {
    if (less != levels.back()) levels.push_back(less);
  }
  for (const uint32_t level : levels) {
    SetCpuExtensionsForTest(level);
    SCOPED_TRACE("extensions: " + CpuExtensionNames());
    body();
  }
  SetCpuExtensionsForTest(std::nullopt);
}

template <typename Body>
void ForEachTarget(const Body& body) {
#if defined(TEST_BEST_TARGET_ALONE)
  body();
  return;
#endif
  const auto all = hwy::SupportedTargets() & HWY_TARGETS;
  for (auto rest = all; rest != 0; rest &= rest - 1) {
    const auto target = rest & -rest;
    SCOPED_TRACE(hwy::TargetName(target));
    hwy::SetSupportedTargetsForTest(target);
    hwy::GetChosenTarget().Update(hwy::SupportedTargets());
    ForEachLevelOf(ExtensionsBeside(target), body);
  }
  hwy::SetSupportedTargetsForTest(0);
  hwy::GetChosenTarget().Update(hwy::SupportedTargets());
}

}  // namespace embedding
