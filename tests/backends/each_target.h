// Runs a test body once for every instruction set that this machine and this build have.
#pragma once

#include <gtest/gtest.h>

#include "hwy/targets.h"

namespace embedding {

template <typename Body>
void ForEachTarget(const Body& body) {
  const auto all = hwy::SupportedTargets();
  for (auto rest = all; rest != 0; rest &= rest - 1) {
    const auto target = rest & -rest;
    SCOPED_TRACE(hwy::TargetName(target));
    hwy::SetSupportedTargetsForTest(target);
    hwy::GetChosenTarget().Update(hwy::SupportedTargets());
    body();
  }
  hwy::SetSupportedTargetsForTest(0);
  hwy::GetChosenTarget().Update(hwy::SupportedTargets());
}

}  // namespace embedding
