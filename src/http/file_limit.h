// How many connections the process's limit of open files allows.
#pragma once

#include <cstddef>

#include "base/result.h"

namespace embedding::http {

// The smallest server that is of use, unless fewer are asked for: the six connections that a
// browser or a client's pool opens, a probe of /health and a scrape of /metrics.
inline constexpr size_t kFewestConnections = 8;

// Raises the process's soft limit of open files so that `wanted` connections fit beside `others`
// other files, or as far as the hard limit lets it, and never lowers it. Gives how many fit, at
// most `wanted`; where that is fewer, a warning is logged. Errors: kInternal: fewer than
// kFewestConnections and than `wanted`.
Result<size_t> AffordConnections(size_t wanted, size_t others);

}  // namespace embedding::http
