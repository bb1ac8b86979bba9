#include "engine/pending_request.h"

#include <algorithm>
#include <limits>
#include <utility>

#include "base/normalize.h"
#include "engine/answer_refused.h"

namespace embedding {

PendingRequest::PendingRequest(const EmbedRequest& request, size_t labels, EmbedResponse response,
                               Embedder::Done done)
    : outputs_(request.outputs),
      normalize_(request.normalize),
      bytes_per_number_(request.bytes_per_number),
      answer_limit_(request.answer_budget == nullptr ? std::numeric_limits<size_t>::max()
                                                     : request.answer_budget->limit()),
      cancelled_(request.cancelled),
      deadline_(request.deadline),
      response_(std::move(response)),
      done_(std::move(done)),
      remaining_(request.size()),
      charge_(std::move(response_.charge)) {
  const size_t texts = request.size();
  if (outputs_.dense) response_.embeddings.resize(texts * response_.dimension);
  if (outputs_.lexical_weights) response_.lexical_weights.resize(texts);
  if (outputs_.colbert_vecs) response_.colbert_vecs.resize(texts);
  if (outputs_.token_embeddings) response_.token_embeddings.resize(texts);
  if (outputs_.logits) response_.logits.resize(texts * labels);
}

void PendingRequest::Begin() noexcept {
  const MutexLock lock(mutex_);
  if (!begun_) begun_ = std::chrono::steady_clock::now();
}

Status PendingRequest::Charge(const SequenceOutputs& outputs) {
  if (!outputs_.lexical_weights) return {};
  // A token id and its weight.
  const size_t numbers = 2 * outputs.lexical_weights.size();
  const MutexLock lock(mutex_);
  const size_t bytes = charge_.bytes() + numbers * bytes_per_number_;
  if (charge_.GrowTo(bytes)) return {};
  return AnswerRefused(bytes, answer_limit_);
}

void PendingRequest::Take(size_t index, const SequenceOutputs& outputs) {
  if (outputs_.dense) {
    const std::span<float> out(response_.embeddings.data() + index * response_.dimension,
                               response_.dimension);
    std::copy_n(outputs.dense.begin(), out.size(), out.begin());
    if (normalize_) NormalizeL2(out);
  }
  if (outputs_.lexical_weights) response_.lexical_weights[index] = outputs.lexical_weights;
  const auto copy = [](std::span<const float> from) {
    return std::vector<float>(from.begin(), from.end());
  };
  if (outputs_.colbert_vecs) response_.colbert_vecs[index] = copy(outputs.colbert_vecs);
  if (outputs_.token_embeddings) response_.token_embeddings[index] = copy(outputs.token_embeddings);
  if (outputs_.logits) {
    std::copy(outputs.logits.begin(), outputs.logits.end(),
              response_.logits.begin() + static_cast<ptrdiff_t>(index * outputs.logits.size()));
  }
}

void PendingRequest::Finish(size_t index, const SequenceOutputs& outputs) noexcept {
  Status status;
  try {
    status = Charge(outputs);
    if (status.ok()) Take(index, outputs);
  } catch (const std::exception&) {
    status = Error{ErrorCode::kInternal, "out of memory", {}};
  }
  CountDown(std::move(status));
}

void PendingRequest::Fail(const Error& error) noexcept {
  Status status;
  try {
    status = error;
  } catch (const std::exception&) {  // no memory for its message
    status = Error{error.code, {}, {}};
  }
  CountDown(std::move(status));
}

void PendingRequest::Abandon() noexcept {
  Status status;
  try {
    if (cancelled_ != nullptr && cancelled_->load()) {
      status = Error{ErrorCode::kCancelled, "the request was cancelled before it was computed", {}};
    } else if (abandoned()) {
      status =
          Error{ErrorCode::kTimeout, "the request's deadline passed before it was computed", {}};
    } else {
      status = Error{ErrorCode::kInternal, "out of memory", {}};
    }
  } catch (const std::exception&) {
    status = Error{ErrorCode::kInternal, {}, {}};
  }
  CountDown(std::move(status));
}

bool PendingRequest::abandoned() const noexcept {
  return (cancelled_ != nullptr && cancelled_->load()) ||
         (deadline_ && std::chrono::steady_clock::now() >= *deadline_);
}

void PendingRequest::CountDown(Status status) noexcept {
  Status failure;
  {
    const MutexLock lock(mutex_);
    if (!status.ok()) failure_ = std::move(status);
    if (--remaining_ > 0) return;
    failure = std::move(failure_);
    response_.charge = std::move(charge_);
    if (begun_) {
      response_.timings.queue = *begun_ - queued_;
      response_.timings.inference = std::chrono::steady_clock::now() - *begun_;
    }
  }
  try {
    if (failure.ok()) {
      done_(std::move(response_));
    } else {
      done_(std::move(failure).error());
    }
  } catch (const std::exception&) {
    // Whoever asked was told that `done` must not throw: there is nobody else to tell.
  }
}

}  // namespace embedding
