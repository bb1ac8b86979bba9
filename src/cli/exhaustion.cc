#include "cli/exhaustion.h"

#include <cstdio>
#include <cstdlib>
#include <exception>
#include <new>
#include <system_error>

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

void ReportExhaustion() { defect_handler = std::set_terminate(OnTerminate); }

}  // namespace embedding::cli
