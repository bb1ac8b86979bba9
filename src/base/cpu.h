// What this process may use of the machine's processors.
#pragma once

namespace embedding {

// Physical computing capacity for this process: the CPUs of its affinity mask, bounded by its
// cgroup's CPU quota (rounded up), and of a Mac's the fast cores alone; at least 1. Read afresh at
// each call; callers ask once at start.
int AvailableCpus();

}  // namespace embedding
