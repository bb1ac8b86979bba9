// The threads that the tests of kernels compute with.
#pragma once

#include <cstddef>

#include "base/thread_team.h"

namespace embedding {

inline ThreadTeam& TeamOf(size_t threads) {
  static ThreadTeam one(1);
  static ThreadTeam two(2);
  static ThreadTeam three(3);
  return threads == 1 ? one : threads == 2 ? two : three;
}

}  // namespace embedding
