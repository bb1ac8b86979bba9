// PendingRequest: an EmbedRequest whose texts wait or are being computed, and its growing answer.
//
// Thread-safety: abandoned() from any thread. Finish and Fail are called once for each text, by one
// thread at a time: the computing thread, or the one that destroys the scheduler after it.
#pragma once

#include <cstddef>
#include <span>

#include "base/result.h"
#include "engine/embedder.h"

namespace embedding {

class PendingRequest {
 public:
  // `response` has its counts filled in; `dimension` is the model's. `done` is called with the
  // whole response when the last text is finished, or with the last error if any failed.
  PendingRequest(const EmbedRequest& request, size_t dimension, EmbedResponse response,
                 Embedder::Done done);

  // Takes the model's vector for text `index`: shortens and normalises it as the request says.
  void Finish(size_t index, std::span<const float> vector);
  void Fail(const Error& error);

  // Why computing this request would be of no use: nobody waits for it. ok() while somebody does.
  Status abandoned() const;

 private:
  void CountDown();

  const bool normalize_;
  const std::shared_ptr<const std::atomic<bool>> cancelled_;
  const std::optional<std::chrono::steady_clock::time_point> deadline_;
  size_t remaining_;
  Status failure_;
  EmbedResponse response_;
  const Embedder::Done done_;
};

}  // namespace embedding
