#include "cli/resources.h"

#ifdef __GLIBC__
#include <malloc.h>
#endif

#include <cstdio>
#include <cstdlib>
#include <exception>
#include <latch>
#include <new>
#include <string>
#include <system_error>
#include <thread>
#include <vector>

#include "cli/commands.h"

namespace embedding::cli {
namespace {

std::terminate_handler defect_handler = nullptr;

[[noreturn]] void OnTerminate() {
  // Without memory: there may be none.
  if (std::current_exception() != nullptr) {
    try {
      throw;
    } catch (const std::bad_alloc&) {
      std::fputs(
          "embedding-service: out of memory; raise ulimit -v or the container's limit, or serve "
          "less at a time (--max-batch-tokens, --threads)\n",
          stderr);
      std::_Exit(kExitFailed);
    } catch (const std::system_error& error) {
      std::fprintf(stderr,
                   "embedding-service: %s; raise ulimit -u, ulimit -v or the container's limits\n",
                   error.what());
      std::_Exit(kExitFailed);
    } catch (...) {
      // A defect: the handler before says which.
    }
  }
  defect_handler();
  std::abort();
}

}  // namespace

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

void ReportExhaustion() { defect_handler = std::set_terminate(OnTerminate); }

}  // namespace embedding::cli
