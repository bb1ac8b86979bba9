#include "base/thread_team.h"

#include <algorithm>

#if defined(__x86_64__)
#include <immintrin.h>
#endif
#ifdef __APPLE__
#include <mach/mach.h>
#include <pthread.h>
#else
#include <pthread.h>
#include <time.h>
#endif

namespace embedding {
namespace {

using std::chrono::microseconds;
using std::chrono::milliseconds;

// How long threads look out for the next Run: the layers of a model follow within microseconds, the
// next request of a client that waits for its answer within a millisecond or two. Then the
// processor is still kept from sleeping, but given to whoever wants it.
constexpr microseconds kLookOut{300};
constexpr microseconds kLookOutYielding{4000};
// A wait for the others that is longer may be one for a thread that does not run. The system lets
// others run for some milliseconds.
constexpr microseconds kLongWait{500};
// So many waits for such, each so soon after the one before, say that the machine is busy: a few
// are accidents.
constexpr size_t kWaitsOfABusyMachine = 3;
constexpr milliseconds kMemory{100};
// For how long the caller then works alone before it looks again: longer each time that it finds
// the machine still busy.
constexpr milliseconds kFirstAlone{20};
constexpr milliseconds kLongestAlone{640};

void Pause() {
#if defined(__x86_64__)
  _mm_pause();
#elif defined(__aarch64__)
  asm volatile("isb");
#else
  std::this_thread::yield();
#endif
}

// Looks until done() or until `limit` has passed, with a pause() between two looks; whether it was
// done.
template <typename Done>
bool LookOut(microseconds limit, const Done& done, void (*pause)() = Pause) {
  constexpr int kLooksPerClock = 64;
  const auto until = std::chrono::steady_clock::now() + limit;
  do {
    for (int i = 0; i < kLooksPerClock; ++i) {
      if (done()) return true;
      pause();
    }
  } while (std::chrono::steady_clock::now() < until);
  return false;
}

constexpr uint64_t Joinable(uint32_t run) { return uint64_t{run} << 32; }
constexpr uint32_t RunOf(uint64_t inside) { return static_cast<uint32_t>(inside >> 32); }
constexpr uint32_t CountOf(uint64_t inside) { return static_cast<uint32_t>(inside); }

// Time that a thread has had on a processor. Zero if the system does not tell.
std::chrono::nanoseconds ProcessorTime(std::thread& thread) {
#ifdef __APPLE__
  thread_basic_info info{};
  mach_msg_type_number_t count = THREAD_BASIC_INFO_COUNT;
  if (::thread_info(::pthread_mach_thread_np(thread.native_handle()), THREAD_BASIC_INFO,
                    reinterpret_cast<thread_info_t>(&info), &count) != KERN_SUCCESS) {
    return {};
  }
  const auto of = [](const time_value_t& time) {
    return std::chrono::seconds(time.seconds) + microseconds(time.microseconds);
  };
  return of(info.user_time) + of(info.system_time);
#else
  clockid_t clock = 0;
  timespec time{};
  if (::pthread_getcpuclockid(thread.native_handle(), &clock) != 0 ||
      ::clock_gettime(clock, &time) != 0) {
    return {};
  }
  return std::chrono::seconds(time.tv_sec) + std::chrono::nanoseconds(time.tv_nsec);
#endif
}

}  // namespace

ThreadTeam::ThreadTeam(size_t threads)
    : size_(std::max<size_t>(threads, 1)), workers_(std::make_unique<Worker[]>(size_ - 1)) {
  try {
    for (size_t i = 1; i < size_; ++i) {
      workers_[i - 1].thread = std::thread([this, i] { Work(i); });
    }
  } catch (...) {
    Stop();
    throw;
  }
}

ThreadTeam::~ThreadTeam() { Stop(); }

void ThreadTeam::Stop() {
  stopping_ = true;
  run_ += 2;
  run_.notify_all();
  for (size_t i = 1; i < size_; ++i) {
    if (workers_[i - 1].thread.joinable()) workers_[i - 1].thread.join();
  }
}

void ThreadTeam::Start(size_t wanted, Task task) {
  task_ = task;
  wanted_.store(wanted, std::memory_order_relaxed);
  const uint32_t run = run_.load(std::memory_order_relaxed) + 1;
  inside_.store(Joinable(run), std::memory_order_release);
  // Not merely released: that there is somebody to wake must not be looked at before.
  run_.store(run, std::memory_order_seq_cst);
  run_.notify_all();
}

void ThreadTeam::Finish() {
  // Nobody begins any more.
  const uint64_t inside = inside_.fetch_and(UINT32_MAX, std::memory_order_acq_rel);
  run_.store(run_.load(std::memory_order_relaxed) + 1, std::memory_order_relaxed);
  if (CountOf(inside) == 0) return;
  uint64_t left = 0;
  Await(
      [&] {
        left = inside_.load(std::memory_order_acquire);
        return left == 0;
      },
      [&] { inside_.wait(left, std::memory_order_acquire); });
}

void ThreadTeam::AwaitValue(size_t thread, const std::atomic<size_t>& counter, size_t value) {
  size_t current = 0;
  const auto reached = [&] {
    current = counter.load(std::memory_order_acquire);
    return current == value;
  };
  const auto sleep = [&] { counter.wait(current, std::memory_order_acquire); };
  if (thread == 0) return Await(reached, sleep);
  if (LookOut(kLongWait, reached)) return;
  while (!reached()) sleep();
}

template <typename Reached, typename Sleep>
void ThreadTeam::Await(const Reached& reached, const Sleep& sleep) {
  if (LookOut(kLongWait, reached)) return;
  // Who works is not who runs: a long task looks the same from here.
  constexpr size_t kMostToAsk = 8;
  size_t asked[kMostToAsk];
  std::chrono::nanoseconds times[kMostToAsk];
  size_t count = 0;
  for (size_t i = 0; i + 1 < size_ && count < kMostToAsk; ++i) {
    if (!workers_[i].works.load(std::memory_order_relaxed)) continue;
    asked[count] = i;
    times[count++] = ProcessorTime(workers_[i].thread);
  }
  const auto begun = Clock::now();
  while (!reached()) sleep();
  const auto waited = Clock::now() - begun;
  if (waited < kLongWait) return;
  for (size_t i = 0; i < count; ++i) {
    if (ProcessorTime(workers_[asked[i]].thread) - times[i] < waited / 2) return NoteWait();
  }
}

void ThreadTeam::NoteWait() {
  const auto now = Clock::now();
  if (now - last_wait_ > kMemory) {
    waits_ = 0;
    alone_for_ = kFirstAlone;
  }
  last_wait_ = now;
  if (++waits_ < kWaitsOfABusyMachine) return;
  alone_until_ = now + alone_for_;
  alone_for_ = std::min(2 * alone_for_, kLongestAlone);
  busy_.store(true, std::memory_order_relaxed);
}

bool ThreadTeam::WorksAlone() {
  if (!busy_.load(std::memory_order_relaxed)) return false;
  if (Clock::now() < alone_until_) return true;
  waits_ = kWaitsOfABusyMachine - 1;  // one more says that it still is
  last_wait_ = Clock::now();
  busy_.store(false, std::memory_order_relaxed);
  return false;
}

void ThreadTeam::Join(uint32_t run, size_t thread) {
  if (thread >= wanted_.load(std::memory_order_relaxed)) return;
  uint64_t inside = inside_.load(std::memory_order_acquire);
  while (RunOf(inside) == run) {
    if (!inside_.compare_exchange_weak(inside, inside + 1, std::memory_order_acq_rel)) continue;
    std::atomic<bool>& works = workers_[thread - 1].works;
    works.store(true, std::memory_order_relaxed);
    // It may be of a Run after the one that was looked at first.
    if (thread < wanted_.load(std::memory_order_relaxed)) task_.call(task_.context, thread);
    works.store(false, std::memory_order_relaxed);
    // The last one out, once the caller has closed the door, wakes it.
    if (inside_.fetch_sub(1, std::memory_order_acq_rel) == 1) inside_.notify_one();
    return;
  }
}

void ThreadTeam::Work(size_t thread) {
  uint32_t seen = 0;
  for (;;) {
    const auto changed = [&] { return run_.load(std::memory_order_acquire) != seen; };
    const bool busy = busy_.load(std::memory_order_relaxed);
    if (busy || (!LookOut(kLookOut, changed) &&
                 !LookOut(kLookOutYielding, changed, std::this_thread::yield))) {
      run_.wait(seen, std::memory_order_acquire);
    }
    seen = run_.load(std::memory_order_acquire);
    if (stopping_) return;  // looked at after what is waited for: the end is not slept through
    if (seen % 2 == 1) Join(seen, thread);
  }
}

}  // namespace embedding
