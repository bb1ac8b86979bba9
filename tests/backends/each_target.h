// Runs a test body once for every instruction set that this machine and this build have.
#pragma once

#include <gtest/gtest.h>

#include <cstdint>
#include <vector>

#include "backends/cpu/arm_extensions.h"
#include "hwy/targets.h"

namespace embedding {

// The body with all that the Arm processor has, with less of it, and with NEON alone; of another
// processor once.
template <typename Body>
void ForEachArmLevel(const Body& body) {
  const uint32_t all = ArmExtensionsPresent();
  std::vector<uint32_t> levels{all};
  for (const uint32_t less : {all & kArmDotprod, 0U}) {
    if (less != levels.back()) levels.push_back(less);
  }
  for (const uint32_t level : levels) {
    SetArmExtensionsForTest(level);
    SCOPED_TRACE("Arm's extensions: " + ArmExtensionNames());
    body();
  }
  SetArmExtensionsForTest(~0U);
}

template <typename Body>
void ForEachTarget(const Body& body) {
  const auto all = hwy::SupportedTargets() & HWY_TARGETS;
  for (auto rest = all; rest != 0; rest &= rest - 1) {
    const auto target = rest & -rest;
    SCOPED_TRACE(hwy::TargetName(target));
    hwy::SetSupportedTargetsForTest(target);
    hwy::GetChosenTarget().Update(hwy::SupportedTargets());
    ForEachArmLevel(body);
  }
  hwy::SetSupportedTargetsForTest(0);
  hwy::GetChosenTarget().Update(hwy::SupportedTargets());
}

}  // namespace embedding
