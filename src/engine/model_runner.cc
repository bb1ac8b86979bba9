#include "engine/model_runner.h"

#include <algorithm>
#include <exception>
#include <map>
#include <new>
#include <numeric>
#include <string>
#include <string_view>
#include <utility>

#include "base/mutex.h"

namespace embedding {
namespace {

std::string_view Bytes(const std::vector<int32_t>& ids) {
  return {reinterpret_cast<const char*>(ids.data()), ids.size() * sizeof(ids[0])};
}

void Unite(const Outputs& more, Outputs& outputs) {
  outputs.dense |= more.dense;
  outputs.lexical_weights |= more.lexical_weights;
  outputs.colbert_vecs |= more.colbert_vecs;
  outputs.token_embeddings |= more.token_embeddings;
  outputs.logits |= more.logits;
}

// Calls compute() when no other model computes with the team, and gives what it throws as an error.
template <typename Compute>
Status Guarded(ThreadTeam& team, const Compute& compute) noexcept {
  const MutexLock lock(team.mutex());
  try {
    return compute();
  } catch (const std::bad_alloc&) {
    return Error{ErrorCode::kInternal, "out of memory", {}};  // short: it takes none itself
  } catch (const std::exception& e) {                         // oneDNN
    try {
      return Error{ErrorCode::kInternal, std::string("computing failed: ") + e.what(), {}};
    } catch (const std::exception&) {
      return Error{ErrorCode::kInternal, "out of memory", {}};
    }
  }
}

}  // namespace

Result<ModelRunner> ModelRunner::Load(const ModelSpec& spec, const TensorStore& weights,
                                      const Tokenizer& tokenizer, std::unique_ptr<Backend> backend,
                                      std::shared_ptr<ThreadTeam> team) {
  ModelRunner runner;
  runner.hidden_size_ = spec.encoder.hidden_size;
  if (spec.is_classifier()) {
    ASSIGN_OR_RETURN(runner.classifier_, ClassifierHead::Load(spec, weights, *backend));
    runner.labels_ = spec.encoder.labels.size();
  } else {
    ASSIGN_OR_RETURN(runner.sentence_, SentenceHead::Make(spec, *backend));
    runner.dimension_ = spec.dimension();
    if (spec.splade) {
      ASSIGN_OR_RETURN(runner.splade_,
                       SpladeHead::Load(spec.encoder, *spec.splade, weights, *backend));
    } else {
      ASSIGN_OR_RETURN(runner.sparse_,
                       SparseHead::Load(spec.directory, runner.hidden_size_, tokenizer, *backend));
    }
    ASSIGN_OR_RETURN(runner.colbert_,
                     ColbertHead::Load(spec.directory, runner.hidden_size_, *backend));
  }
  runner.backend_ = std::move(backend);
  runner.team_ = std::move(team);
  return runner;
}

void ModelRunner::Assemble(std::span<const Job> batch) {
  input_ids_.clear();
  token_type_ids_.clear();
  offsets_.assign(1, 0);
  wanted_.clear();
  sequence_of_job_.clear();
  std::map<std::pair<std::string_view, std::string_view>, size_t> sequence_of_ids;
  for (const Job& job : batch) {
    job.request->Begin();
    const auto [found, is_new] =
        sequence_of_ids.try_emplace({Bytes(job.ids), Bytes(job.type_ids)}, sequence_of_ids.size());
    const size_t sequence = found->second;
    sequence_of_job_.push_back(sequence);
    if (is_new) {
      input_ids_.insert(input_ids_.end(), job.ids.begin(), job.ids.end());
      token_type_ids_.insert(token_type_ids_.end(), job.type_ids.begin(), job.type_ids.end());
      offsets_.push_back(static_cast<uint32_t>(input_ids_.size()));
      wanted_.push_back(job.request->outputs());
    } else {
      Unite(job.request->outputs(), wanted_[sequence]);
    }
  }
}

std::span<const float> ModelRunner::Rows(std::span<const float> hidden, size_t s) const {
  return hidden.subspan(offsets_[s] * hidden_size_, tokens(s) * hidden_size_);
}

std::span<const float> ModelRunner::Gather(std::span<const float> hidden, bool Outputs::*wants) {
  size_t rows = 0;
  begins_.assign(wanted_.size(), 0);
  for (size_t s = 0; s < wanted_.size(); ++s) {
    begins_[s] = rows;
    if (wanted_[s].*wants) rows += tokens(s);
  }
  if (rows == input_ids_.size()) return hidden;
  gathered_.Resize(rows * hidden_size_);
  for (size_t s = 0; s < wanted_.size(); ++s) {
    if (!(wanted_[s].*wants)) continue;
    const std::span<const float> sequence = Rows(hidden, s);
    std::copy(sequence.begin(), sequence.end(), gathered_.data() + begins_[s] * hidden_size_);
  }
  return gathered_.span();
}

void ModelRunner::RunSparse(std::span<const float> hidden) {
  const std::span<const float> weights =
      splade_ ? std::span<const float>() : sparse_->Run(Gather(hidden, &Outputs::lexical_weights));
  for (size_t s = 0; s < wanted_.size(); ++s) {
    if (!wanted_[s].lexical_weights) continue;
    outputs_[s].lexical_weights =
        splade_ ? splade_->Run(Rows(hidden, s))
                : sparse_->Weights(std::span(input_ids_).subspan(offsets_[s], tokens(s)),
                                   weights.subspan(begins_[s], tokens(s)));
  }
}

void ModelRunner::RunColbert(std::span<const float> hidden) {
  const std::span<const float> vectors = colbert_->Run(Gather(hidden, &Outputs::colbert_vecs));
  const size_t dimension = colbert_->dimension();
  for (size_t s = 0; s < wanted_.size(); ++s) {
    if (!wanted_[s].colbert_vecs || tokens(s) == 0) continue;
    outputs_[s].colbert_vecs =
        vectors.subspan((begins_[s] + 1) * dimension, (tokens(s) - 1) * dimension);
  }
}

Status ModelRunner::Run() {
  const size_t sequences = wanted_.size();
  outputs_.assign(sequences, {});
  Outputs any{.dense = false};
  for (const Outputs& wanted : wanted_) Unite(wanted, any);
  // A sequence without tokens, which only a tokenizer without special tokens gives, has no first.
  const bool has_empty = std::adjacent_find(offsets_.begin(), offsets_.end()) != offsets_.end();
  const bool reads_all_tokens = any.lexical_weights || any.colbert_vecs || any.token_embeddings ||
                                (any.dense && !sentence_->reads_first_tokens_only());

  PackedBatch packed{input_ids_, token_type_ids_, offsets_};
  packed.first_tokens_only = !reads_all_tokens && !has_empty;
  ASSIGN_OR_RETURN(const std::span<const float> hidden, backend_->Encode(packed));
  if (any.token_embeddings) {
    for (size_t s = 0; s < sequences; ++s) outputs_[s].token_embeddings = Rows(hidden, s);
  }
  if (any.lexical_weights) RunSparse(hidden);
  if (any.colbert_vecs) RunColbert(hidden);
  if (any.dense) {
    std::vector<uint32_t> one_each(sequences + 1);
    std::iota(one_each.begin(), one_each.end(), 0U);
    const std::span<const float> vectors =
        sentence_->Run(hidden, packed.first_tokens_only ? one_each : offsets_);
    for (size_t s = 0; s < sequences; ++s) {
      outputs_[s].dense = vectors.subspan(s * dimension_, dimension_);
    }
  }
  if (any.logits) {
    const std::span<const float> logits = classifier_->Run(hidden);
    for (size_t s = 0; s < sequences; ++s) {
      outputs_[s].logits = logits.subspan(s * labels_, labels_);
    }
  }
  return {};
}

Status ModelRunner::Compute(std::span<const Job> batch) noexcept {
  return Guarded(*team_, [&] {
    Assemble(batch);
    return Run();
  });
}

Status ModelRunner::CheckDevice() noexcept {
  return Guarded(*team_, [&]() -> Status {
    constexpr int32_t kId[] = {0};
    constexpr uint32_t kOffsets[] = {0, 1};
    auto hidden = backend_->Encode({.input_ids = kId, .token_type_ids = kId, .offsets = kOffsets});
    return hidden.ok() ? Status() : Status(std::move(hidden).error());
  });
}

}  // namespace embedding
