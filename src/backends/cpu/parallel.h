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
#include <functional>

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
  bool caught() const { return caught_.test(); }
  // After the region.
  void Rethrow() const {
    if (exception_) std::rethrow_exception(exception_);
  }

 private:
  std::atomic_flag caught_;
  std::exception_ptr exception_;
};

// The end of a pass that writes rows: finish(begin, end) does with rows [begin, end) what needs
// them whole. Called on several threads, for ranges that cover all rows; not at all where the pass
// failed.
using FinishRows = std::function<void(size_t begin, size_t end)>;

// Calls work(exception) on each of the team's threads, or on one if that suffices for `tasks`. When
// all are done, the threads share `rows` for `finish`, if there is one: that costs one meeting of
// the threads, where a loop of its own would cost two.
template <typename Work>
void ParallelPass(size_t tasks, const Work& work, size_t rows, const FinishRows& finish) {
  FirstException exception;
#pragma omp parallel if (tasks > 1 || (finish && rows > 1))
  {
    work(exception);
    if (finish) {
#pragma omp barrier
      const auto threads = static_cast<size_t>(omp_get_num_threads());
      const auto thread = static_cast<size_t>(omp_get_thread_num());
      const size_t begin = rows * thread / threads;
      const size_t end = rows * (thread + 1) / threads;
      if (begin < end && !exception.caught()) exception.CatchFrom([&] { finish(begin, end); });
    }
  }
  exception.Rethrow();
}

// Calls task(i) for each i in [0, count), each once, on the team's threads; then `finish`. For
// tasks of different cost: they are handed out one at a time.
template <typename Task>
void ParallelFor(size_t count, const Task& task, size_t rows = 0, const FinishRows& finish = {}) {
  std::atomic<size_t> unclaimed{0};
  const auto work = [&](FirstException& exception) {
    for (size_t i = unclaimed++; i < count; i = unclaimed++) {
      exception.CatchFrom([&] { task(i); });
    }
  };
  ParallelPass(count, work, rows, finish);
}

// As ParallelFor, but calls task(i, next), `next` being what the same thread does after it (`count`
// or more if nothing), so that a task can prepare the next one's way.
template <typename Task>
void ParallelForAhead(size_t count, const Task& task, size_t rows = 0,
                      const FinishRows& finish = {}) {
  std::atomic<size_t> unclaimed{0};
  const auto work = [&](FirstException& exception) {
    size_t next = unclaimed++;
    while (next < count) {
      const size_t current = next;
      next = unclaimed++;
      exception.CatchFrom([&] { task(current, next); });
    }
  };
  ParallelPass(count, work, rows, finish);
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
