#include "http/file_limit.h"

#include <fmt/format.h>
#include <spdlog/spdlog.h>
#include <sys/resource.h>

#include <algorithm>
#include <climits>
#include <limits>

namespace embedding::http {
namespace {

// Gives the limit that holds afterwards. RLIM_INFINITY is the largest rlim_t.
rlim_t RaiseFileLimit(rlim_t wanted) {
  rlimit limit = {};
  if (::getrlimit(RLIMIT_NOFILE, &limit) != 0) return wanted;
  const rlim_t before = limit.rlim_cur;
  rlim_t most = limit.rlim_max;
#ifdef __APPLE__
  most = std::min<rlim_t>(most, OPEN_MAX);  // more is refused, whatever the hard limit says
#endif
  if (before >= std::min(wanted, most)) return before;
  limit.rlim_cur = std::min(wanted, most);
  return ::setrlimit(RLIMIT_NOFILE, &limit) == 0 ? limit.rlim_cur : before;
}

}  // namespace

Result<size_t> AffordConnections(size_t wanted, size_t others) {
  const size_t needed = wanted + std::min(others, std::numeric_limits<size_t>::max() - wanted);
  const rlim_t files = RaiseFileLimit(needed);
  if (files >= needed) return wanted;
  const size_t affordable = files - std::min<rlim_t>(files, others);
  const size_t fewest = std::min(wanted, kFewestConnections);
  if (affordable < fewest) {
    return Error{
        ErrorCode::kInternal,
        fmt::format("the limit of {} open files is too low to serve: at least {} are needed, {} "
                    "for the server itself and {} for connections ({} for all of "
                    "--max-connections); raise ulimit -n",
                    files, others + fewest, others, fewest, needed),
        ""};
  }
  spdlog::warn("the limit of {} open files allows {} connections, not {}; raise ulimit -n", files,
               affordable, wanted);
  return affordable;
}

}  // namespace embedding::http
