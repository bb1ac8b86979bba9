// ParallelFor: the OpenMP team that oneDNN uses too, for this project's kernels.
//
// Compute and kernels share one team, so cores are never oversubscribed. The team's size is the
// calling thread's omp_set_num_threads.
#pragma once

#include <omp.h>

#include <algorithm>
#include <atomic>
#include <cstddef>
#include <cstdint>

namespace embedding {

// Calls task(i) for each i in [0, count), each once, on the team's threads. For tasks of different
// cost: they are handed out one at a time.
template <typename Task>
void ParallelFor(size_t count, const Task& task) {
  const auto n = static_cast<int64_t>(count);
#pragma omp parallel for schedule(dynamic) if (n > 1)
  for (int64_t i = 0; i < n; ++i) task(static_cast<size_t>(i));
}

// As ParallelFor, but calls task(i, next), `next` being what the same thread does after it (`count`
// or more if nothing), so that a task can prepare the next one's way.
template <typename Task>
void ParallelForAhead(size_t count, const Task& task) {
  std::atomic<size_t> unclaimed{0};
#pragma omp parallel if (count > 1)
  {
    size_t next = unclaimed++;
    while (next < count) {
      const size_t current = next;
      next = unclaimed++;
      task(current, next);
    }
  }
}

// Calls task(begin, end) for ranges of nearly the same size that cover [0, count): one a thread, of
// `min_range` or more where there is more than one. For many small equal steps.
template <typename Task>
void ParallelRanges(size_t count, size_t min_range, const Task& task) {
  const auto threads = static_cast<size_t>(omp_get_max_threads());
  const size_t ranges = std::clamp(count / min_range, size_t{1}, threads);
#pragma omp parallel for schedule(static) if (ranges > 1)
  for (size_t i = 0; i < ranges; ++i) task(count * i / ranges, count * (i + 1) / ranges);
}

}  // namespace embedding
