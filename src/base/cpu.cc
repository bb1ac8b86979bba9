#include "base/cpu.h"

#include <algorithm>
#include <cmath>
#include <fstream>
#include <string>
#include <thread>

#ifdef __linux__
#include <sched.h>
#elif defined(__APPLE__)
#include <sys/sysctl.h>
#endif

namespace embedding {
namespace {

#ifdef __linux__
// CPUs that the cgroup's quota amounts to (v2: "max 100000" or "150000 100000"), 0 if unlimited.
double CgroupQuota() {
  std::ifstream v2("/sys/fs/cgroup/cpu.max");
  std::string quota;
  double period = 0;
  if (v2 >> quota >> period) {
    return quota == "max" || period <= 0 ? 0 : std::strtod(quota.c_str(), nullptr) / period;
  }
  std::ifstream v1_quota("/sys/fs/cgroup/cpu/cpu.cfs_quota_us");
  std::ifstream v1_period("/sys/fs/cgroup/cpu/cpu.cfs_period_us");
  double microseconds = 0;
  if (v1_quota >> microseconds && v1_period >> period && microseconds > 0 && period > 0) {
    return microseconds / period;
  }
  return 0;
}
#endif

}  // namespace

int AvailableCpus() {
  int cpus = static_cast<int>(std::thread::hardware_concurrency());
#ifdef __linux__
  cpu_set_t mask;
  CPU_ZERO(&mask);
  if (sched_getaffinity(0, sizeof(mask), &mask) == 0) cpus = CPU_COUNT(&mask);
  const double quota = CgroupQuota();
  if (quota > 0) cpus = std::min(cpus, static_cast<int>(std::ceil(quota)));
#elif defined(__APPLE__)
  // The fast cores (4 of an M1's 8): a slow one would be waited for at the end of every pass. A Mac
  // whose cores are all alike (Intel's) has no such value.
  int fast = 0;
  size_t size = sizeof(fast);
  if (::sysctlbyname("hw.perflevel0.logicalcpu", &fast, &size, nullptr, 0) == 0 && fast > 0) {
    cpus = fast;
  }
#endif
  return std::max(1, cpus);
}

}  // namespace embedding
