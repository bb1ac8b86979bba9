// What CudaHeads makes of each token: the hidden states themselves, bge-m3's weights and vectors,
// and SPLADE's weights of a vocabulary.
#include <algorithm>

#include "backends/cuda/cuda_heads.h"
#include "model/lexical_weights.h"

namespace embedding {
// What is computed one after the other has the same buffers: they grow before any of it is begun.
Status CudaHeads::ReserveGathered() {
  size_t rows = heads_.splade ? kSpladeTokens : 0;
  if (weight_rows_) rows = std::max(rows, weight_rows_->padded);
  if (vector_rows_) rows = std::max(rows, vector_rows_->padded);
  RETURN_IF_ERROR(gathered_.Reserve(rows * hidden_size_ * sizeof(float)));
  if (!heads_.splade) return {};
  RETURN_IF_ERROR(transformed_.Reserve(kSpladeTokens * hidden_size_ * sizeof(float)));
  return logits_.Reserve(kSpladeTokens * splade_decoder_->out_features * sizeof(float));
}

Status CudaHeads::GatherRows(const CudaHiddenStates& hidden, const RowList& rows, CudaBuffer& to) {
  if (rows.padded == 0) return {};
  RETURN_IF_ERROR(to.Reserve(rows.padded * hidden_size_ * sizeof(float)));
  return compute_.kernels().Launch(Kernel::kGatherRowsF32, {.x = rows.padded, .threads = 256},
                                   compute_.stream(), hidden.rows,
                                   device_rows_.address() + rows.place * sizeof(int32_t),
                                   static_cast<int>(hidden_size_), to.address());
}

Status CudaHeads::ReturnTokens(const Batch& batch, const CudaHiddenStates& hidden,
                               BatchOutputs& outputs) {
  RETURN_IF_ERROR(GatherRows(hidden, *token_rows_, tokens_));
  pending_.push_back({tokens_.address(), token_rows_->count * hidden_size_,
                      [this, &batch, &hidden, &outputs](std::span<const float> numbers) {
                        for (size_t s = 0; s < batch.sequences(); ++s) {
                          if (!batch.wanted[s].token_embeddings) continue;
                          const size_t count = hidden.size(s) * hidden_size_;
                          outputs[s].token_embeddings = numbers.first(count);
                          numbers = numbers.subspan(count);
                        }
                      }});
  return {};
}

Status CudaHeads::WeighTokens(const Batch& batch, const CudaHiddenStates& hidden,
                              BatchOutputs& outputs) {
  RETURN_IF_ERROR(GatherRows(hidden, *weight_rows_, gathered_));
  RETURN_IF_ERROR(RunDense(compute_, *token_weights_, heads_.token_weights->activation,
                           gathered_.address(), weight_rows_->padded, weights_));
  pending_.push_back({weights_.address(), weight_rows_->count,
                      [this, &batch, &outputs](std::span<const float> numbers) {
                        for (size_t s = 0; s < batch.sequences(); ++s) {
                          if (!batch.wanted[s].lexical_weights) continue;
                          const size_t tokens = batch.offsets[s + 1] - batch.offsets[s];
                          outputs[s].lexical_weights =
                              WeightsOfTokens(batch.input_ids.subspan(batch.offsets[s], tokens),
                                              numbers.first(tokens), *heads_.token_weights);
                          numbers = numbers.subspan(tokens);
                        }
                      }});
  return {};
}

Status CudaHeads::MakeTokenVectors(const Batch& batch, const CudaHiddenStates& hidden,
                                   BatchOutputs& outputs) {
  const size_t rows = vector_rows_->padded;
  const size_t dimension = token_vectors_->out_features;
  RETURN_IF_ERROR(GatherRows(hidden, *vector_rows_, gathered_));
  RETURN_IF_ERROR(RunDense(compute_, *token_vectors_, Activation::kIdentity, gathered_.address(),
                           rows, vectors_));
  RETURN_IF_ERROR(compute_.NormalizeLengths(rows, dimension, vectors_.address()));
  pending_.push_back({vectors_.address(), vector_rows_->count * dimension,
                      [&batch, &outputs, dimension](std::span<const float> numbers) {
                        for (size_t s = 0; s < batch.sequences(); ++s) {
                          if (!batch.wanted[s].colbert_vecs) continue;
                          const size_t size = (batch.offsets[s + 1] - batch.offsets[s]) * dimension;
                          if (size == 0) continue;
                          outputs[s].colbert_vecs = numbers.subspan(dimension, size - dimension);
                          numbers = numbers.subspan(size);
                        }
                      }});
  return {};
}

Status CudaHeads::WeighVocabulary(const Batch& batch, const CudaHiddenStates& hidden,
                                  BatchOutputs& outputs) {
  const Splade& splade = *heads_.splade;
  const size_t entries = splade_decoder_->out_features;
  constexpr size_t kColumns = 256;  // of a block
  RETURN_IF_ERROR(vocabulary_.Reserve(batch.sequences() * entries * sizeof(float)));
  for (size_t s = 0; s < batch.sequences(); ++s) {
    if (splade_rows_[s].empty()) continue;
    const CudaPointer weights = vocabulary_.address() + s * entries * sizeof(float);
    int is_first = 1;
    for (const RowList& rows : splade_rows_[s]) {
      RETURN_IF_ERROR(GatherRows(hidden, rows, gathered_));
      RETURN_IF_ERROR(RunDense(compute_, *splade_transform_, splade.activation, gathered_.address(),
                               rows.padded, transformed_));
      RETURN_IF_ERROR(
          compute_.NormalizeF32(*splade_norm_, rows.padded, hidden_size_, transformed_.address()));
      RETURN_IF_ERROR(RunDense(compute_, *splade_decoder_, Activation::kIdentity,
                               transformed_.address(), rows.padded, logits_));
      RETURN_IF_ERROR(compute_.kernels().Launch(
          Kernel::kWeighVocabulary, {.x = (entries + kColumns - 1) / kColumns, .threads = kColumns},
          compute_.stream(), logits_.address(), static_cast<int>(rows.count),
          static_cast<int>(entries), static_cast<int>(splade.sums),
          static_cast<int>(splade.log_twice), is_first, weights));
      is_first = 0;
    }
    pending_.push_back({weights, entries, [&outputs, &splade, s](std::span<const float> numbers) {
                          outputs[s].lexical_weights =
                              WeightsOfVocabulary(numbers, splade.max_active_dims);
                        }});
  }
  return {};
}

}  // namespace embedding
