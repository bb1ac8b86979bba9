#include "engine/pending_request.h"

#include <algorithm>
#include <utility>

#include "engine/pooling.h"

namespace embedding {

PendingRequest::PendingRequest(const EmbedRequest& request, size_t dimension,
                               EmbedResponse response, Embedder::Done done)
    : normalize_(request.normalize),
      cancelled_(request.cancelled),
      deadline_(request.deadline),
      remaining_(request.texts.size()),
      response_(std::move(response)),
      done_(std::move(done)) {
  response_.dimension = request.dimensions.value_or(dimension);
  response_.embeddings.resize(request.texts.size() * response_.dimension);
}

void PendingRequest::Finish(size_t index, std::span<const float> vector) {
  const std::span<float> out(response_.embeddings.data() + index * response_.dimension,
                             response_.dimension);
  std::copy_n(vector.begin(), out.size(), out.begin());
  if (normalize_) NormalizeL2(out);
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
    done_(std::move(response_));
  } else {
    done_(std::move(failure_).error());
  }
}

}  // namespace embedding
