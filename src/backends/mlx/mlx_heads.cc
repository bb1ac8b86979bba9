#include "backends/mlx/mlx_heads.h"

#include <mlx/mlx.h>

#include <algorithm>
#include <utility>

#include "backends/mlx/buckets.h"
#include "backends/wanted_tokens.h"
#include "model/lexical_weights.h"

namespace embedding {

namespace mx = mlx::core;

namespace {

// Tokens whose logits of a whole vocabulary exist at a time: 256 x 30,522 floats are 31 MB.
constexpr size_t kTokensAtOnce = 256;

int Int(size_t n) { return static_cast<int>(n); }

std::optional<MlxLinear> Load(const std::optional<LinearTensors>& tensors) {
  if (!tensors) return std::nullopt;
  return LoadLinear(*tensors, mx::float32);
}

// Rows [begin, begin + size).
mx::array Rows(const mx::array& x, size_t begin, size_t size) {
  return mx::slice(x, {Int(begin), 0}, {Int(begin + size), x.shape(1)});
}

std::span<const float> Numbers(const mx::array& evaluated) {
  return {evaluated.data<float>(), evaluated.size()};
}

// The rows of those sequences alone that want something, and more of no meaning: sizes are few
// then, and never 0: NVIDIA's library refuses a product of no rows.
mx::array RowsOfWanted(const Batch& batch, const MlxHiddenStates& hidden, bool Outputs::*wants) {
  std::vector<int32_t> rows;
  for (size_t s = 0; s < batch.sequences(); ++s) {
    if (!(batch.wanted[s].*wants)) continue;
    for (size_t i = 0; i < hidden.size(s); ++i)
      rows.push_back(static_cast<int32_t>(hidden.begin(s) + i));
  }
  rows.resize(RoundUpFinely(rows.size()), 0);
  return TakeRows(hidden.rows, ToArray(rows, {Int(rows.size())}));
}

}  // namespace

MlxHeads::MlxHeads(const Heads& heads, const HeadTensors& tensors)
    : heads_(heads),
      token_weights_(Load(tensors.token_weights)),
      token_vectors_(Load(tensors.token_vectors)) {
  for (const VectorHead& head : VectorHeadsOf(heads, tensors)) vector_heads_.emplace_back(head);
  if (tensors.splade) {
    splade_transform_ = LoadLinear(tensors.splade->transform, mx::float32);
    splade_norm_ = LoadNorm(tensors.splade->norm, heads.splade->norm, mx::float32);
    splade_decoder_ = LoadLinear(tensors.splade->decoder, mx::float32);
  }
}

void MlxHeads::Run(const Batch& batch, const MlxHiddenStates& hidden, BatchOutputs& outputs) {
  pending_.clear();
  const MlxHiddenStates f32 = {mx::astype(hidden.rows, mx::float32), hidden.begins};
  outputs.assign(batch.sequences(), {});
  if (Wants(batch, &Outputs::token_embeddings)) {
    const auto receive = [&](std::span<const float> numbers) {
      const size_t size = numbers.size() / static_cast<size_t>(f32.rows.shape(0));
      for (size_t s = 0; s < batch.sequences(); ++s) {
        if (!batch.wanted[s].token_embeddings) continue;
        outputs[s].token_embeddings = numbers.subspan(f32.begin(s) * size, f32.size(s) * size);
      }
    };
    pending_.push_back({f32.rows, receive});
  }
  for (const MlxVectorHead& head : vector_heads_) {
    if (Wants(batch, head.head().wants)) MakeVectors(head, batch, f32, outputs);
  }
  if (heads_.token_weights && Wants(batch, &Outputs::lexical_weights))
    WeighTokens(batch, f32, outputs);
  if (heads_.token_vectors && Wants(batch, &Outputs::colbert_vecs))
    MakeTokenVectors(batch, f32, outputs);
  if (heads_.splade) WeighVocabulary(batch, f32, outputs);

  results_.clear();
  for (const Pending& pending : pending_) results_.push_back(mx::contiguous(pending.array));
  mx::eval(results_);
  for (size_t i = 0; i < pending_.size(); ++i) pending_[i].receive(Numbers(results_[i]));
  pending_.clear();
}

void MlxHeads::MakeVectors(const MlxVectorHead& head, const Batch& batch,
                           const MlxHiddenStates& hidden, BatchOutputs& outputs) {
  pending_.push_back({head.Run(batch, hidden.rows, hidden.begins),
                      [&head, &batch, &outputs](std::span<const float> numbers) {
                        const size_t dimension = numbers.size() / batch.sequences();
                        for (size_t s = 0; s < batch.sequences(); ++s) {
                          if (!(batch.wanted[s].*head.head().wants)) continue;
                          outputs[s].*head.head().output =
                              numbers.subspan(s * dimension, dimension);
                        }
                      }});
}

void MlxHeads::WeighTokens(const Batch& batch, const MlxHiddenStates& hidden,
                           BatchOutputs& outputs) {
  const Array weights =
      Activate(heads_.token_weights->activation,
               (*token_weights_)(RowsOfWanted(batch, hidden, &Outputs::lexical_weights)));
  pending_.push_back({weights, [this, &batch, &outputs](std::span<const float> numbers) {
                        for (size_t s = 0; s < batch.sequences(); ++s) {
                          if (!batch.wanted[s].lexical_weights) continue;
                          const size_t tokens = batch.offsets[s + 1] - batch.offsets[s];
                          outputs[s].lexical_weights =
                              WeightsOfTokens(batch.input_ids.subspan(batch.offsets[s], tokens),
                                              numbers.first(tokens), *heads_.token_weights);
                          numbers = numbers.subspan(tokens);
                        }
                      }});
}

void MlxHeads::MakeTokenVectors(const Batch& batch, const MlxHiddenStates& hidden,
                                BatchOutputs& outputs) {
  const Array vectors = (*token_vectors_)(RowsOfWanted(batch, hidden, &Outputs::colbert_vecs));
  const auto dimension = static_cast<size_t>(vectors.shape(1));
  pending_.push_back(
      {NormalizeLengths(vectors), [&batch, &outputs, dimension](std::span<const float> numbers) {
         for (size_t s = 0; s < batch.sequences(); ++s) {
           if (!batch.wanted[s].colbert_vecs) continue;
           const size_t size = (batch.offsets[s + 1] - batch.offsets[s]) * dimension;
           if (size == 0) continue;
           outputs[s].colbert_vecs = numbers.subspan(dimension, size - dimension);
           numbers = numbers.subspan(size);
         }
       }});
}

void MlxHeads::WeighVocabulary(const Batch& batch, const MlxHiddenStates& hidden,
                               BatchOutputs& outputs) {
  const Splade& splade = *heads_.splade;
  const auto activate = [&splade](const Array& logits) {
    const Array weights = mx::log1p(mx::maximum(logits, mx::array(0.0F)));
    return splade.log_twice ? mx::log1p(weights) : weights;
  };
  for (size_t s = 0; s < batch.sequences(); ++s) {
    if (!batch.wanted[s].lexical_weights) continue;
    Array pooled = mx::zeros({splade_decoder_->bias.shape(0)});
    for (size_t i = 0; i < hidden.size(s); i += kTokensAtOnce) {
      const Array rows =
          Rows(hidden.rows, hidden.begin(s) + i, std::min(kTokensAtOnce, hidden.size(s) - i));
      const Array logits = (*splade_decoder_)(
          (*splade_norm_)(Activate(splade.activation, (*splade_transform_)(rows))));
      // Of the largest weight the largest logit: what is done to it grows with it.
      pooled = splade.sums ? pooled + mx::sum(activate(logits), 0)
                           : mx::maximum(pooled, mx::max(logits, 0));
      mx::eval(pooled);  // or the logits of all would exist at once
    }
    pending_.push_back({splade.sums ? pooled : activate(pooled),
                        [&outputs, &splade, s](std::span<const float> numbers) {
                          outputs[s].lexical_weights =
                              WeightsOfVocabulary(numbers, splade.max_active_dims);
                        }});
  }
}

}  // namespace embedding
