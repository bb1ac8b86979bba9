// Loops on a ThreadTeam, for this project's kernels.
//
// What a task throws (std::bad_alloc) the caller gets, the first where several throw, when the
// other tasks are done.
#pragma once

#include <algorithm>
#include <atomic>
#include <cstddef>
#include <cstdint>
#include <exception>
#include <functional>
#include <memory>

#include "base/aligned_buffer.h"
#include "base/thread_team.h"

namespace embedding {

// Carries an exception from one thread to another.
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
  // After the loop.
  void Rethrow() const {
    if (exception_) std::rethrow_exception(exception_);
  }

 private:
  std::atomic_flag caught_;
  std::exception_ptr exception_;
};

// The end of a pass that writes rows: epilogue(begin, end) does with rows [begin, end) what needs
// them whole. Called on several threads, for ranges that cover all rows; not at all where the pass
// failed.
using RowEpilogue = std::function<void(size_t begin, size_t end)>;

// The numbers [0, count), in as many ranges of neighbours as there are threads. Each thread takes
// from the front of its own, and what others have not begun, because they are slow or not there,
// from the end of theirs. Thread-safe.
class SharedRange {
 public:
  static constexpr size_t kMaxThreads = 64;  // those beyond begin with nothing of their own

  SharedRange(size_t count, size_t threads) : parts_(std::clamp(threads, size_t{1}, kMaxThreads)) {
    for (size_t i = 0; i < parts_; ++i) {
      std::construct_at(&part_[i].bounds, Bounds(count * i / parts_, count * (i + 1) / parts_));
    }
  }

  // The next number for `thread`, and the one that it is likely to be given after it, or the same
  // number; false when all are taken.
  bool Take(size_t thread, size_t& number, size_t& next) {
    if (thread < parts_) {
      std::atomic<uint64_t>& own = part_[thread].bounds;
      uint64_t bounds = own.load(std::memory_order_relaxed);
      while (Begin(bounds) < End(bounds)) {
        if (!own.compare_exchange_weak(bounds, Bounds(Begin(bounds) + 1, End(bounds)),
                                       std::memory_order_acq_rel)) {
          continue;
        }
        number = Begin(bounds);
        next = number + 1 < End(bounds) ? number + 1 : number;
        return true;
      }
    }
    for (size_t i = 1; i <= parts_; ++i) {
      std::atomic<uint64_t>& other = part_[(thread + i) % parts_].bounds;
      uint64_t bounds = other.load(std::memory_order_relaxed);
      while (Begin(bounds) < End(bounds)) {
        if (!other.compare_exchange_weak(bounds, Bounds(Begin(bounds), End(bounds) - 1),
                                         std::memory_order_acq_rel)) {
          continue;
        }
        number = End(bounds) - 1;
        next = Begin(bounds) < number ? number - 1 : number;
        return true;
      }
    }
    return false;
  }

 private:
  static uint64_t Bounds(size_t begin, size_t end) { return uint64_t{begin} << 32 | end; }
  static size_t Begin(uint64_t bounds) { return bounds >> 32; }
  static size_t End(uint64_t bounds) { return bounds & UINT32_MAX; }

  // A union, for those that are not needed to cost nothing.
  union alignas(kCacheLineBytes) Part {
    Part() {}                      // NOLINT(modernize-use-equals-default): that would be deleted
    std::atomic<uint64_t> bounds;  // begin and end of what is left, in 32 bits each
  };

  const size_t parts_;
  Part part_[kMaxThreads];
};

// Calls task(i, next, thread) for each i in [0, count), each once, on up to `threads` threads of
// the team; `next` is what the same thread is likely to do after it (i if nothing), so that a task
// can prepare its way. at_end(thread) is called after a thread's last task. When all are done, the
// threads share `rows` for `epilogue`, if there is one: that costs one meeting of the threads,
// where a loop of its own would cost two.
template <typename Task, typename AtEnd>
void ParallelForAhead(ThreadTeam& team, size_t threads, size_t count, const Task& task,
                      const AtEnd& at_end, size_t rows = 0, const RowEpilogue& epilogue = {}) {
  threads = std::min(threads, team.size());
  FirstException exception;
  SharedRange tasks(count, std::min(threads, count));
  const size_t pieces = epilogue ? std::min(rows, threads) : 0;  // that `rows` are shared in
  std::atomic<size_t> done{0};
  std::atomic<size_t> pieces_taken{0};
  const auto work = [&](size_t thread) noexcept {
    size_t mine = 0;
    size_t i = 0;
    size_t next = 0;
    while (tasks.Take(thread, i, next)) {
      exception.CatchFrom([&] { task(i, next, thread); });
      ++mine;
    }
    if (mine > 0) exception.CatchFrom([&] { at_end(thread); });
    if (pieces == 0) return;
    if (mine > 0 && done.fetch_add(mine, std::memory_order_acq_rel) + mine == count) {
      done.notify_all();
    }
    team.AwaitValue(thread, done, count);
    for (i = pieces_taken++; i < pieces && !exception.caught(); i = pieces_taken++) {
      exception.CatchFrom([&] { epilogue(rows * i / pieces, rows * (i + 1) / pieces); });
    }
  };
  team.Run(std::min(threads, std::max(count, pieces)), work);
  exception.Rethrow();
}

// Calls task(i) for each i in [0, count), each once; then `epilogue`. For tasks of different cost.
template <typename Task>
void ParallelFor(ThreadTeam& team, size_t count, const Task& task, size_t rows = 0,
                 const RowEpilogue& epilogue = {}) {
  ParallelForAhead(
      team, team.size(), count, [&](size_t i, size_t, size_t) { task(i); }, [](size_t) {}, rows,
      epilogue);
}

// Calls task(begin, end) for ranges of nearly the same size that cover [0, count): one a thread, of
// `min_range` or more where there is more than one. For many small equal steps.
template <typename Task>
void ParallelRanges(ThreadTeam& team, size_t count, size_t min_range, const Task& task) {
  const size_t ranges = std::clamp(count / min_range, size_t{1}, team.size());
  ParallelFor(team, ranges, [&](size_t i) { task(count * i / ranges, count * (i + 1) / ranges); });
}

}  // namespace embedding
