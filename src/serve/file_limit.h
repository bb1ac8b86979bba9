#pragma once

#include <cstddef>

namespace embedding::serve {

// Raises the process's soft limit of open files to `wanted`, or as near as the hard limit lets it,
// and never lowers it. Gives the limit that holds afterwards.
size_t RaiseFileLimit(size_t wanted);

}  // namespace embedding::serve
