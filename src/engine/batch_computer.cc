#include "engine/batch_computer.h"

#include <fmt/chrono.h>
#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <exception>
#include <numeric>

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

size_t TokensOf(std::span<const Job> batch) {
  return std::accumulate(batch.begin(), batch.end(), size_t{0},
                         [](size_t sum, const Job& job) { return sum + job.ids.size(); });
}

}  // namespace

bool BatchComputer::Run(std::span<Job> batch) noexcept {
  {
    const MutexLock lock(mutex_);
    ++batches_;
    texts_ += batch.size();
    tokens_ += TokensOf(batch);
  }
  return Compute(batch);
}

bool BatchComputer::Compute(std::span<Job> batch) noexcept {
  Begin(batch.size(), TokensOf(batch));
  Status status = runner_.Compute(batch);
  if (!status.ok() && status.error().code == ErrorCode::kOutOfMemory) {
    if (batch.size() > 1) {
      const size_t half = batch.size() / 2;
      const bool is_well = Compute(batch.first(half));
      return Compute(batch.subspan(half)) && is_well;
    }
    // It is this text that is too large, if there is room for one token: or the device would fail
    // text after text that another one has room for.
    const bool is_well = Note(runner_.CheckDevice());
    batch[0].request->Fail(MakeError(ErrorCode::kOutOfMemory, [&] {
      return fmt::format(
          "there is not enough memory for a text of {} tokens; send a shorter one, or try again",
          batch[0].ids.size());
    }));
    return is_well;
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

bool BatchComputer::CheckDevice() noexcept {
  Begin(0, 1);
  return Note(runner_.CheckDevice());
}

DeviceState BatchComputer::state() const {
  using std::chrono::duration_cast;
  using std::chrono::seconds;
  DeviceState state;
  state.device = device_;
  std::optional<Work> work;
  {
    const MutexLock lock(mutex_);
    state.status = last_;
    state.batches = batches_;
    state.texts = texts_;
    state.tokens = tokens_;
    work = work_;
  }
  if (!work) return state;
  state.busy = std::chrono::steady_clock::now() - work->since;
  if (timeout_.count() == 0 || state.busy < timeout_) return state;
  state.silent_since = std::chrono::system_clock::now() -
                       duration_cast<std::chrono::system_clock::duration>(state.busy);
  state.status =
      Error{ErrorCode::kUnavailable,
            fmt::format("the device {} has not answered for {} s, since {:%FT%TZ}; it has {} texts "
                        "of {} tokens in hand; if it does not come back, restart the server",
                        device_, duration_cast<seconds>(state.busy).count(),
                        std::chrono::time_point_cast<seconds>(*state.silent_since), work->texts,
                        work->tokens),
            {}};
  return state;
}

void BatchComputer::Begin(size_t texts, size_t tokens) noexcept {
  const MutexLock lock(mutex_);
  work_ = {std::chrono::steady_clock::now(), texts, tokens};
}

bool BatchComputer::Note(const Status& status) noexcept {
  const MutexLock lock(mutex_);
  work_.reset();
  try {
    last_ = status;
  } catch (const std::exception&) {  // no memory for its message
    last_ = Error{status.error().code, {}, {}};
  }
  return status.ok();
}

}  // namespace embedding
