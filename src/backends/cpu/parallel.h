// ParallelFor: the OpenMP team that oneDNN uses too, for this project's kernels.
//
// Compute and kernels share one team, so cores are never oversubscribed. The team's size is the
// calling thread's omp_set_num_threads. What a task throws (std::bad_alloc) the caller gets, the
// first where several throw, when the other tasks are done.
#pragma once

#include <omp.h>

#include <algorithm>
#include <atomic>
#include <cstddef>
#include <cstdint>
#include <exception>

namespace embedding {

// Carries an exception out of a parallel region: one that leaves it ends the process.
class FirstException {
 public:
  template <typename Task>
  void CatchFrom(const Task& task) noexcept {
    try {
      task();
    } catch (...) {
      if (!caught_.test_and_set()) exception_ = std::current_exception();
    }
  }
  // After the region.
  void Rethrow() const {
    if (exception_) std::rethrow_exception(exception_);
  }

 private:
  std::atomic_flag caught_;
  std::exception_ptr exception_;
};

// Calls task(i) for each i in [0, count), each once, on the team's threads. For tasks of different
// cost: they are handed out one at a time.
template <typename Task>
void ParallelFor(size_t count, const Task& task) {
  const auto n = static_cast<int64_t>(count);
  FirstException exception;
#pragma omp parallel for schedule(dynamic) if (n > 1)
  for (int64_t i = 0; i < n; ++i) {
    exception.CatchFrom([&] { task(static_cast<size_t>(i)); });
  }
  exception.Rethrow();
}

// As ParallelFor, but calls task(i, next), `next` being what the same thread does after it (`count`
// or more if nothing), so that a task can prepare the next one's way.
template <typename Task>
void ParallelForAhead(size_t count, const Task& task) {
  std::atomic<size_t> unclaimed{0};
  FirstException exception;
#pragma omp parallel if (count > 1)
  {
    size_t next = unclaimed++;
    while (next < count) {
      const size_t current = next;
      next = unclaimed++;
      exception.CatchFrom([&] { task(current, next); });
    }
  }
  exception.Rethrow();
}

// Calls task(begin, end) for ranges of nearly the same size that cover [0, count): one a thread, of
// `min_range` or more where there is more than one. For many small equal steps.
template <typename Task>
void ParallelRanges(size_t count, size_t min_range, const Task& task) {
  const auto threads = static_cast<size_t>(omp_get_max_threads());
  const size_t ranges = std::clamp(count / min_range, size_t{1}, threads);
  FirstException exception;
#pragma omp parallel for schedule(static) if (ranges > 1)
  for (size_t i = 0; i < ranges; ++i) {
    exception.CatchFrom([&] { task(count * i / ranges, count * (i + 1) / ranges); });
  }
  exception.Rethrow();
}

}  // namespace embedding
