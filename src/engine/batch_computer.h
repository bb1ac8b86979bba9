// BatchComputer: one of the devices that a model is on: computes a batch, keeps what came out in
// the cache, and tells the requests; says how the device is.
//
// A batch for which memory runs out is computed by halves; a text that does not fit alone fails its
// own request. A result with a number that is not finite is an error of its request, and is kept
// nowhere.
//
// Thread-safety: Run and CheckDevice are the computing thread's; state is any thread's.
#pragma once

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <utility>

#include "backends/backend.h"
#include "base/mutex.h"
#include "base/result.h"
#include "embedding/device.h"
#include "engine/model_runner.h"
#include "engine/result_cache.h"
#include "engine/scheduler.h"
#include "weights/tensor_store.h"

namespace embedding {

class BatchComputer {
 public:
  // `device` is what the session computes on. `weights` and `cache` outlive it.
  BatchComputer(std::string device, std::unique_ptr<Session> session, const TensorStore& weights,
                const std::optional<ResultCache>& cache, std::chrono::milliseconds timeout)
      : device_(std::move(device)),
        timeout_(timeout),
        runner_(std::move(session)),
        weights_(weights),
        cache_(cache) {}

  // Scheduler::Device.
  bool Run(std::span<Job> batch) noexcept EXCLUDES(mutex_);
  bool CheckDevice() noexcept EXCLUDES(mutex_);

  // With what EmbedderOptions::device_timeout says. Throws std::bad_alloc.
  DeviceState state() const EXCLUDES(mutex_);
  const Session& session() const { return runner_.session(); }

 private:
  // What the device has in hand.
  struct Work {
    std::chrono::steady_clock::time_point since;
    size_t texts = 0;
    size_t tokens = 0;
  };

  bool Compute(std::span<Job> batch) noexcept;
  // The device gets something to do.
  void Begin(size_t texts, size_t tokens) noexcept EXCLUDES(mutex_);
  // It has done it. Whether the device is well after that.
  bool Note(const Status& status) noexcept EXCLUDES(mutex_);
  void Answer(std::span<Job> batch) noexcept;

  const std::string device_;
  const std::chrono::milliseconds timeout_;
  ModelRunner runner_;
  const TensorStore& weights_;
  const std::optional<ResultCache>& cache_;

  mutable Mutex mutex_;
  Status last_ GUARDED_BY(mutex_);  // how the last thing went that the device did
  std::optional<Work> work_ GUARDED_BY(mutex_);
  uint64_t batches_ GUARDED_BY(mutex_) = 0;
  uint64_t texts_ GUARDED_BY(mutex_) = 0;
  uint64_t tokens_ GUARDED_BY(mutex_) = 0;
};

}  // namespace embedding
