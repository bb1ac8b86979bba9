// ThreadTeam: a few threads that work on one thing together, for loops of some ten microseconds.
//
// Run calls work(thread) on the calling thread, as thread 0, and on those of the others that come
// in time. It waits for those that have begun, and for nobody else: who is still asleep, or was put
// aside by the system before it began, is not missed, if the work is such that whoever is there
// takes what is left (parallel.h). So a thread that has no processor to run on costs nothing.
//
// Between two Runs the others look out for work for a while, which costs a processor but lets the
// next Run begin at once, and then sleep. On a machine where others want the processors both are of
// no use: looking out takes the time of the thread that is waited for, and a thread that is put
// aside in the midst of its work holds up all. Then Run notices that it waits for threads that do
// not run, and works alone for a while.
//
// Thread-safety: Run may be called from one thread at a time; mutex() is for those who have
// several.
#pragma once

#include <atomic>
#include <chrono>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <thread>
#include <type_traits>

#include "base/mutex.h"

namespace embedding {

class ThreadTeam {
 public:
  // `threads` >= 1, the calling one included. Throws std::system_error if the system has none left.
  explicit ThreadTeam(size_t threads);
  ~ThreadTeam();
  ThreadTeam(const ThreadTeam&) = delete;
  ThreadTeam& operator=(const ThreadTeam&) = delete;

  size_t size() const { return size_; }

  // Calls work(thread) on thread 0 and on none, some or all of the threads 1 to `wanted` - 1. What
  // work writes is seen by the caller afterwards. work must not throw.
  template <typename Work>
  void Run(size_t wanted, const Work& work) {
    static_assert(std::is_nothrow_invocable_v<const Work&, size_t>);
    if (wanted <= 1 || size_ == 1 || WorksAlone()) return work(size_t{0});
    Start(wanted, {&work, [](const void* context, size_t thread) {
                     (*static_cast<const Work*>(context))(thread);
                   }});
    work(size_t{0});
    Finish();
  }

  // For `thread` within a Run: waits until `counter` is `value`. Whoever makes it so calls
  // notify_all.
  void AwaitValue(size_t thread, const std::atomic<size_t>& counter, size_t value);

  // For callers of Run that take turns.
  Mutex& mutex() { return mutex_; }

 private:
  using Clock = std::chrono::steady_clock;

  struct Task {
    const void* context = nullptr;
    void (*call)(const void* context, size_t thread) = nullptr;
  };

  // One of the others, number i + 1.
  struct alignas(64) Worker {
    std::atomic<bool> works = false;
    std::thread thread;
  };

  void Stop();
  void Start(size_t wanted, Task task);
  void Finish();
  // The caller's wait for what others do: until reached(), sleep() between two looks.
  template <typename Reached, typename Sleep>
  void Await(const Reached& reached, const Sleep& sleep);
  // Counts a wait for a thread that the system had put aside.
  void NoteWait();
  bool WorksAlone();
  void Work(size_t thread);
  // Takes part in Run number `run`, if it is still open.
  void Join(uint32_t run, size_t thread);

  const size_t size_;

  // Of the current Run.
  Task task_;
  std::atomic<size_t> wanted_ = 0;

  // The number of the current Run; odd while others may still begin. Who sleeps waits for it to
  // change.
  std::atomic<uint32_t> run_ = 0;
  // The number of the Run that can be joined in the upper half, 0 if none can, and in the lower how
  // many of the others are in it.
  std::atomic<uint64_t> inside_ = 0;
  std::atomic<bool> stopping_ = false;

  // Run's own.
  size_t waits_ = 0;  // for threads that were put aside, lately
  Clock::time_point last_wait_ = {};
  Clock::time_point alone_until_ = {};
  std::chrono::milliseconds alone_for_{};  // the next time
  std::atomic<bool> busy_ = false;         // the machine is: the others sleep at once

  Mutex mutex_;
  std::unique_ptr<Worker[]> workers_;  // last: they use all of the above
};

}  // namespace embedding
