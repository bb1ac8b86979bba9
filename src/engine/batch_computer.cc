#include "engine/batch_computer.h"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <exception>

namespace embedding {
namespace {

bool AreFinite(std::span<const float> numbers) {
  return std::all_of(numbers.begin(), numbers.end(), [](float x) { return std::isfinite(x); });
}

bool IsFinite(const SequenceOutputs& outputs) {
  return AreFinite(outputs.dense) && AreFinite(outputs.colbert_vecs) &&
         AreFinite(outputs.token_embeddings) && AreFinite(outputs.logits) &&
         std::all_of(outputs.lexical_weights.begin(), outputs.lexical_weights.end(),
                     [](const TokenWeight& token) { return std::isfinite(token.weight); });
}

// An error with a message if there is memory for that.
template <typename Make>
Error MakeError(ErrorCode code, const Make& message) noexcept {
  try {
    return {code, message(), {}};
  } catch (const std::exception&) {
    return {code, "out of memory", {}};  // short: it takes none itself
  }
}

}  // namespace

bool BatchComputer::Run(std::span<Job> batch) noexcept {
  Status status = runner_.Compute(batch);
  if (!status.ok() && status.error().code == ErrorCode::kOutOfMemory) {
    if (batch.size() > 1) {
      const size_t half = batch.size() / 2;
      const bool is_well = Run(batch.first(half));
      return Run(batch.subspan(half)) && is_well;
    }
    // The device is well: it is this text that is too large.
    batch[0].request->Fail(MakeError(ErrorCode::kOutOfMemory, [&] {
      return fmt::format(
          "there is not enough memory for a text of {} tokens; send a shorter one, or try again",
          batch[0].ids.size());
    }));
    return Note({});
  }
  try {
    // What was read from a file that somebody writes into is nobody's vector.
    if (status.ok()) status = weights_.Unchanged();
  } catch (const std::exception&) {
    status = Error{ErrorCode::kInternal, "out of memory", {}};
  }
  // Before anybody is answered, who might ask how the engine is, or for the same again.
  const bool is_well = Note(status);
  if (status.ok()) {
    Answer(batch);
  } else {
    for (const Job& job : batch) job.request->Fail(status.error());
  }
  return is_well;
}

void BatchComputer::Answer(std::span<Job> batch) noexcept {
  if (cache_) {
    size_t stored = 0;  // of the batch's different texts
    for (size_t i = 0; i < batch.size(); ++i) {
      if (runner_.sequence(i) < stored) continue;
      ++stored;
      if (IsFinite(runner_.outputs(i)))
        cache_->Put(batch[i], runner_.wanted(i), runner_.outputs(i));
    }
  }
  for (size_t i = 0; i < batch.size(); ++i) {
    if (IsFinite(runner_.outputs(i))) {
      batch[i].request->Finish(batch[i].index, runner_.outputs(i));
      continue;
    }
    batch[i].request->Fail(MakeError(ErrorCode::kInternal, [&] {
      return fmt::format(
          "the model computes numbers that are not finite for a text of {} tokens; a --dtype of "
          "more range than {} may help (f32, bf16)",
          batch[i].ids.size(), session().dtype());
    }));
  }
}

bool BatchComputer::CheckDevice() noexcept { return Note(runner_.CheckDevice()); }

Status BatchComputer::health() const {
  const MutexLock lock(mutex_);
  return health_;
}

bool BatchComputer::Note(const Status& status) noexcept {
  const MutexLock lock(mutex_);
  try {
    health_ = status;
  } catch (const std::exception&) {  // no memory for its message
    health_ = Error{status.error().code, {}, {}};
  }
  return status.ok();
}

}  // namespace embedding
