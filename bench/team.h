// The threads that the benchmarks of kernels compute with.
#pragma once

#include "base/cpu.h"
#include "base/thread_team.h"

namespace embedding {

inline ThreadTeam& Team() {
  static ThreadTeam team(static_cast<size_t>(AvailableCpus()));
  return team;
}

}  // namespace embedding
