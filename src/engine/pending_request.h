// PendingRequest: an EmbedRequest whose texts wait or are being computed, and its growing answer.
//
// Thread-safety: all of it. Finish, Fail or Abandon once for each text: by the thread that asks,
// for what is in the cache; by the computing threads, which call Begin before them; by the one that
// destroys the scheduler. None of these throws: memory that runs out fails the request.
#pragma once

#include <chrono>
#include <cstddef>
#include <optional>
#include <span>
#include <vector>

#include "backends/backend.h"
#include "base/mutex.h"
#include "base/result.h"
#include "embedding/byte_budget.h"
#include "embedding/engine.h"

namespace embedding {

class PendingRequest {
 public:
  // `response` has its counts and dimensions filled in, `labels` is the model's number of logits.
  // `done` is called with the whole response when the last text is finished, or with the last error
  // if any failed.
  PendingRequest(const EmbedRequest& request, size_t labels, EmbedResponse response,
                 Embedder::Done done);

  const Outputs& outputs() const { return outputs_; }

  // A batch with texts of this request is about to be computed.
  void Begin() noexcept EXCLUDES(mutex_);

  // Takes the model's outputs for text `index`: what was asked for of them, the dense vector
  // shortened and normalised as the request says.
  void Finish(size_t index, const SequenceOutputs& outputs) noexcept EXCLUDES(mutex_);
  void Fail(const Error& error) noexcept EXCLUDES(mutex_);
  // Fails with why computing this would be of no use, or, if somebody does wait for it, with the
  // lack of memory.
  void Abandon() noexcept EXCLUDES(mutex_);

  // Whether nobody waits for this request any more.
  bool abandoned() const noexcept;

 private:
  // Takes what the text's part of the answer holds from the request's budget.
  Status Charge(const SequenceOutputs& outputs) EXCLUDES(mutex_);
  void Take(size_t index, const SequenceOutputs& outputs);
  // One text less; the last answers.
  void CountDown(Status status) noexcept EXCLUDES(mutex_);

  const Outputs outputs_;
  const bool normalize_;
  const size_t bytes_per_number_;
  const size_t answer_limit_;
  const std::shared_ptr<const std::atomic<bool>> cancelled_;
  const std::optional<std::chrono::steady_clock::time_point> deadline_;
  const std::chrono::steady_clock::time_point queued_ = std::chrono::steady_clock::now();
  EmbedResponse response_;  // each text's part is whose turn that text is; the whole the last one's
  const Embedder::Done done_;

  Mutex mutex_;
  std::optional<std::chrono::steady_clock::time_point> begun_ GUARDED_BY(mutex_);
  size_t remaining_ GUARDED_BY(mutex_);
  Status failure_ GUARDED_BY(mutex_);
  ByteCharge charge_ GUARDED_BY(mutex_);  // the response's, until it is answered
};

}  // namespace embedding
