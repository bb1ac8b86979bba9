// BatchComputer: computes a batch, keeps what came out in the cache, and tells the requests; says
// how the device is.
//
// A batch for which memory runs out is computed by halves; a text that does not fit alone fails its
// own request. A result with a number that is not finite is an error of its request, and is kept
// nowhere.
//
// Thread-safety: Run and CheckDevice are the computing thread's; health is any thread's.
#pragma once

#include <cstddef>
#include <memory>
#include <optional>
#include <span>

#include "backends/backend.h"
#include "base/mutex.h"
#include "base/result.h"
#include "engine/model_runner.h"
#include "engine/result_cache.h"
#include "engine/scheduler.h"
#include "weights/tensor_store.h"

namespace embedding {

class BatchComputer {
 public:
  // `weights` and `cache` outlive it.
  BatchComputer(std::unique_ptr<Session> session, const TensorStore& weights,
                const std::optional<ResultCache>& cache)
      : runner_(std::move(session)), weights_(weights), cache_(cache) {}

  // Scheduler::RunBatch.
  bool Run(std::span<Job> batch) noexcept EXCLUDES(mutex_);
  // Scheduler::Check.
  bool CheckDevice() noexcept EXCLUDES(mutex_);

  // How the last thing went that the device did.
  Status health() const EXCLUDES(mutex_);
  const Session& session() const { return runner_.session(); }

 private:
  // Whether the device is well after that.
  bool Note(const Status& status) noexcept EXCLUDES(mutex_);
  void Answer(std::span<Job> batch) noexcept;

  ModelRunner runner_;
  const TensorStore& weights_;
  const std::optional<ResultCache>& cache_;

  mutable Mutex mutex_;
  Status health_ GUARDED_BY(mutex_);
};

}  // namespace embedding
