// PendingRequest: an EmbedRequest whose texts wait or are being computed, and its growing answer.
//
// Thread-safety: abandoned() from any thread. Finish, Fail or Abandon once for each text, by one
// thread at a time: the one that asks, for what is in the cache, before it queues the rest; then
// the computing thread, which calls Begin before them, or the one that destroys the scheduler after
// it. None of these throws: memory that runs out fails the request.
#pragma once

#include <chrono>
#include <cstddef>
#include <optional>
#include <span>
#include <vector>

#include "backends/backend.h"
#include "base/result.h"
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
  void Begin() noexcept;

  // Takes the model's outputs for text `index`: what was asked for of them, the dense vector
  // shortened and normalised as the request says.
  void Finish(size_t index, const SequenceOutputs& outputs) noexcept;
  void Fail(const Error& error) noexcept;
  // Fails with why computing this would be of no use, or, if somebody does wait for it, with the
  // lack of memory.
  void Abandon() noexcept;

  // Whether nobody waits for this request any more.
  bool abandoned() const noexcept;

 private:
  void Take(size_t index, const SequenceOutputs& outputs);
  void CountDown() noexcept;

  const Outputs outputs_;
  const bool normalize_;
  const size_t bytes_per_number_;
  const size_t answer_limit_;
  const std::shared_ptr<const std::atomic<bool>> cancelled_;
  const std::optional<std::chrono::steady_clock::time_point> deadline_;
  const std::chrono::steady_clock::time_point queued_ = std::chrono::steady_clock::now();
  std::optional<std::chrono::steady_clock::time_point> begun_;
  size_t remaining_;
  Status failure_;
  EmbedResponse response_;
  const Embedder::Done done_;
};

}  // namespace embedding
