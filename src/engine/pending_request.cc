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
      remaining_(request.size()),
      response_(std::move(response)),
      done_(std::move(done)) {
  const size_t texts = request.size();
  if (outputs_.dense) response_.embeddings.resize(texts * response_.dimension);
  if (outputs_.lexical_weights) response_.lexical_weights.resize(texts);
  if (outputs_.colbert_vecs) response_.colbert_vecs.resize(texts);
  if (outputs_.token_embeddings) response_.token_embeddings.resize(texts);
  if (outputs_.logits) response_.logits.resize(texts * labels);
}

void PendingRequest::Begin() noexcept {
  if (!begun_) begun_ = std::chrono::steady_clock::now();
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
  try {
    // A token id and its weight.
    const size_t numbers = outputs_.lexical_weights ? 2 * outputs.lexical_weights.size() : 0;
    const size_t bytes = response_.charge.bytes() + numbers * bytes_per_number_;
    if (response_.charge.GrowTo(bytes)) {
      Take(index, outputs);
    } else {
      failure_ = AnswerRefused(bytes, answer_limit_);
    }
  } catch (const std::exception&) {
    return Fail({ErrorCode::kInternal, "out of memory", {}});
  }
  CountDown();
}

void PendingRequest::Fail(const Error& error) noexcept {
  try {
    failure_ = error;
  } catch (const std::exception&) {  // no memory for its message
    failure_ = Error{error.code, {}, {}};
  }
  CountDown();
}

void PendingRequest::Abandon() noexcept {
  try {
    if (cancelled_ != nullptr && cancelled_->load()) {
      failure_ =
          Error{ErrorCode::kCancelled, "the request was cancelled before it was computed", {}};
    } else if (abandoned()) {
      failure_ =
          Error{ErrorCode::kTimeout, "the request's deadline passed before it was computed", {}};
    } else {
      failure_ = Error{ErrorCode::kInternal, "out of memory", {}};
    }
  } catch (const std::exception&) {
    failure_ = Error{ErrorCode::kInternal, {}, {}};
  }
  CountDown();
}

bool PendingRequest::abandoned() const noexcept {
  return (cancelled_ != nullptr && cancelled_->load()) ||
         (deadline_ && std::chrono::steady_clock::now() >= *deadline_);
}

void PendingRequest::CountDown() noexcept {
  if (--remaining_ > 0) return;
  try {
    if (failure_.ok()) {
      if (begun_) {
        response_.timings.queue = *begun_ - queued_;
        response_.timings.inference = std::chrono::steady_clock::now() - *begun_;
      }
      done_(std::move(response_));
    } else {
      done_(std::move(failure_).error());
    }
  } catch (const std::exception&) {
    // Whoever asked was told that `done` must not throw: there is nobody else to tell.
  }
}

}  // namespace embedding
