#include "app/resources.h"

#ifdef __GLIBC__
#include <malloc.h>
#endif

#include <exception>
#include <latch>
#include <string>
#include <thread>
#include <vector>

namespace embedding::app {

Status CheckThreads(int count) {
  std::vector<std::thread> threads;
  std::latch started(1);
  std::string problem;
  try {
    threads.reserve(static_cast<size_t>(count));
    for (int i = 0; i < count; ++i) threads.emplace_back([&started] { started.wait(); });
  } catch (const std::exception& error) {
    problem = error.what();
  }
  started.count_down();
  for (std::thread& thread : threads) thread.join();
  if (problem.empty()) return {};
  return Error{ErrorCode::kInternal,
               "only " + std::to_string(threads.size()) + " of the " + std::to_string(count) +
                   " threads needed can be started (" + problem +
                   "); raise ulimit -u, ulimit -v or the container's limit of processes, or lower "
                   "--threads",
               ""};
}

void GiveMemoryBack() {
#ifdef __GLIBC__
  // glibc raises its limit, above which a block is a mapping of its own, to the size of the largest
  // that was freed, up to 32 MB; once it is set it stays. A mapping costs some ten microseconds.
  constexpr int kLargeBytes = 256 * 1024;
  (void)::mallopt(M_MMAP_THRESHOLD, kLargeBytes);
  (void)::mallopt(M_TRIM_THRESHOLD, kLargeBytes);
#endif
}

}  // namespace embedding::app
