#include "engine/pending_request.h"

#include <algorithm>
#include <utility>

#include "engine/pooling.h"

namespace embedding {

PendingRequest::PendingRequest(const EmbedRequest& request, size_t labels, EmbedResponse response,
                               Embedder::Done done)
    : outputs_(request.outputs),
      normalize_(request.normalize),
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

void PendingRequest::Begin() {
  if (!begun_) begun_ = std::chrono::steady_clock::now();
}

void PendingRequest::Finish(size_t index, const SequenceOutputs& outputs) {
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
  CountDown();
}

void PendingRequest::Fail(const Error& error) {
  failure_ = error;
  CountDown();
}

Status PendingRequest::abandoned() const {
  if (cancelled_ != nullptr && cancelled_->load()) {
    return Error{ErrorCode::kCancelled, "the request was cancelled before it was computed", {}};
  }
  if (deadline_ && std::chrono::steady_clock::now() >= *deadline_) {
    return Error{ErrorCode::kTimeout, "the request's deadline passed before it was computed", {}};
  }
  return {};
}

void PendingRequest::CountDown() {
  if (--remaining_ > 0) return;
  if (failure_.ok()) {
    const auto now = std::chrono::steady_clock::now();
    response_.timings.queue = begun_.value_or(now) - queued_;
    response_.timings.inference = now - begun_.value_or(now);
    done_(std::move(response_));
  } else {
    done_(std::move(failure_).error());
  }
}

}  // namespace embedding
