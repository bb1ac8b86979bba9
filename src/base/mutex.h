// Mutex and MutexLock: std::mutex with clang's thread-safety annotations, so that
// `-Wthread-safety` proves that each GUARDED_BY member is touched only under its lock.
#pragma once

#include <condition_variable>
#include <mutex>

#if defined(__clang__)
#define EMBEDDING_THREAD_ANNOTATION(x) __attribute__((x))
#else
#define EMBEDDING_THREAD_ANNOTATION(x)
#endif

#define GUARDED_BY(mutex) EMBEDDING_THREAD_ANNOTATION(guarded_by(mutex))
#define REQUIRES(mutex) EMBEDDING_THREAD_ANNOTATION(requires_capability(mutex))
#define EXCLUDES(mutex) EMBEDDING_THREAD_ANNOTATION(locks_excluded(mutex))

namespace embedding {

class EMBEDDING_THREAD_ANNOTATION(capability("mutex")) Mutex {
 public:
  void Lock() EMBEDDING_THREAD_ANNOTATION(acquire_capability()) { mutex_.lock(); }
  void Unlock() EMBEDDING_THREAD_ANNOTATION(release_capability()) { mutex_.unlock(); }

  // Names that std::condition_variable_any asks for.
  void lock() EMBEDDING_THREAD_ANNOTATION(acquire_capability()) { Lock(); }
  void unlock() EMBEDDING_THREAD_ANNOTATION(release_capability()) { Unlock(); }

 private:
  std::mutex mutex_;
};

class EMBEDDING_THREAD_ANNOTATION(scoped_lockable) MutexLock {
 public:
  explicit MutexLock(Mutex& mutex) EMBEDDING_THREAD_ANNOTATION(acquire_capability(mutex))
      : mutex_(mutex) {
    mutex_.Lock();
  }
  ~MutexLock() EMBEDDING_THREAD_ANNOTATION(release_capability()) { mutex_.Unlock(); }
  MutexLock(const MutexLock&) = delete;
  MutexLock& operator=(const MutexLock&) = delete;

 private:
  Mutex& mutex_;
};

// Waits on a condition while holding the mutex; call in a loop that tests the condition.
class CondVar {
 public:
  void Wait(Mutex& mutex) REQUIRES(mutex) { condition_.wait(mutex); }
  template <typename TimePoint>
  void WaitUntil(Mutex& mutex, const TimePoint& deadline) REQUIRES(mutex) {
    condition_.wait_until(mutex, deadline);
  }
  void NotifyOne() { condition_.notify_one(); }
  void NotifyAll() { condition_.notify_all(); }

 private:
  std::condition_variable_any condition_;
};

}  // namespace embedding
