#include "backends/cuda/cuda_heads.h"

#include <algorithm>
#include <utility>

#include "backends/cuda/row_counts.h"
#include "backends/wanted_tokens.h"

namespace embedding {
namespace {

Status Load(CudaCompute& compute, const LinearTensors& tensors, std::optional<CudaLinear>& linear) {
  ASSIGN_OR_RETURN(CudaLinear loaded, compute.LoadLinear(tensors, ComputeType::kF32));
  linear.emplace(std::move(loaded));
  return {};
}

}  // namespace

CudaHeads::CudaHeads(CudaCompute& compute, const Heads& heads)
    : compute_(compute),
      heads_(heads),
      hidden_size_(compute.kernels().options().hidden_size),
      device_rows_(compute.DeviceBuffer()),
      tokens_(compute.DeviceBuffer()),
      gathered_(compute.DeviceBuffer()),
      weights_(compute.DeviceBuffer()),
      vectors_(compute.DeviceBuffer()),
      transformed_(compute.DeviceBuffer()),
      logits_(compute.DeviceBuffer()),
      vocabulary_(compute.DeviceBuffer()),
      results_(compute.HostBuffer()) {}

Result<std::unique_ptr<CudaHeads>> CudaHeads::Load(CudaCompute& compute, const Heads& heads,
                                                   const HeadTensors& tensors) {
  using embedding::Load;
  std::unique_ptr<CudaHeads> made(new CudaHeads(compute, heads));
  for (const VectorHead& head : VectorHeadsOf(heads, tensors)) {
    ASSIGN_OR_RETURN(auto vector_head, CudaVectorHead::Load(compute, head));
    made->vector_heads_.push_back(std::move(vector_head));
  }
  if (tensors.token_weights)
    RETURN_IF_ERROR(Load(compute, *tensors.token_weights, made->token_weights_));
  if (tensors.token_vectors)
    RETURN_IF_ERROR(Load(compute, *tensors.token_vectors, made->token_vectors_));
  if (tensors.splade) {
    RETURN_IF_ERROR(Load(compute, tensors.splade->transform, made->splade_transform_));
    RETURN_IF_ERROR(compute.LoadNorm(tensors.splade->norm, heads.splade->norm, ComputeType::kF32,
                                     made->splade_norm_));
    RETURN_IF_ERROR(Load(compute, tensors.splade->decoder, made->splade_decoder_));
  }
  return made;
}

void CudaHeads::FreeBuffers() {
  for (CudaBuffer* const buffer : {&device_rows_, &tokens_, &gathered_, &weights_, &vectors_,
                                   &transformed_, &logits_, &vocabulary_}) {
    buffer->Free();
  }
  for (const auto& head : vector_heads_) head->FreeBuffers();
}

CudaHeads::RowList CudaHeads::AddRows(size_t begin, size_t count) {
  const RowList list = {rows_.size(), count, ProductRows(count)};
  for (size_t i = 0; i < count; ++i) rows_.push_back(static_cast<int32_t>(begin + i));
  rows_.resize(list.place + list.padded, 0);
  return list;
}

CudaHeads::RowList CudaHeads::AddRowsOfWanted(const Batch& batch, const CudaHiddenStates& hidden,
                                              bool Outputs::*wants) {
  RowList list = {rows_.size(), 0, 0};
  for (size_t s = 0; s < batch.sequences(); ++s) {
    if (!(batch.wanted[s].*wants)) continue;
    for (size_t i = 0; i < hidden.size(s); ++i)
      rows_.push_back(static_cast<int32_t>(hidden.begin(s) + i));
  }
  list.count = rows_.size() - list.place;
  list.padded = ProductRows(list.count);
  rows_.resize(list.place + list.padded, 0);
  return list;
}

Status CudaHeads::Run(const Batch& batch, const CudaHiddenStates& hidden, BatchOutputs& outputs) {
  pending_.clear();
  token_rows_.reset();
  weight_rows_.reset();
  vector_rows_.reset();
  rows_.clear();
  outputs.assign(batch.sequences(), {});
  const bool returns_tokens = Wants(batch, &Outputs::token_embeddings);
  const bool weighs = Wants(batch, &Outputs::lexical_weights);
  const bool makes_vectors = heads_.token_vectors && Wants(batch, &Outputs::colbert_vecs);
  if (returns_tokens) token_rows_ = AddRowsOfWanted(batch, hidden, &Outputs::token_embeddings);
  if (heads_.token_weights && weighs)
    weight_rows_ = AddRowsOfWanted(batch, hidden, &Outputs::lexical_weights);
  if (makes_vectors) vector_rows_ = AddRowsOfWanted(batch, hidden, &Outputs::colbert_vecs);
  splade_rows_.assign(batch.sequences(), {});
  for (size_t s = 0; heads_.splade && s < batch.sequences(); ++s) {
    if (!batch.wanted[s].lexical_weights) continue;
    for (size_t i = 0; i < hidden.size(s); i += kSpladeTokens) {
      splade_rows_[s].push_back(
          AddRows(hidden.begin(s) + i, std::min(kSpladeTokens, hidden.size(s) - i)));
    }
  }
  RETURN_IF_ERROR(device_rows_.Reserve(rows_.size() * sizeof(int32_t)));
  RETURN_IF_ERROR(ReserveGathered());
  RETURN_IF_ERROR(
      compute_.CopyToDevice(device_rows_.address(), rows_.data(), rows_.size() * sizeof(int32_t)));

  if (returns_tokens) RETURN_IF_ERROR(ReturnTokens(batch, hidden, outputs));
  for (const auto& head : vector_heads_) {
    if (Wants(batch, head->head().wants))
      RETURN_IF_ERROR(MakeVectors(*head, batch, hidden, outputs));
  }
  if (heads_.token_weights && weighs) RETURN_IF_ERROR(WeighTokens(batch, hidden, outputs));
  if (makes_vectors) RETURN_IF_ERROR(MakeTokenVectors(batch, hidden, outputs));
  if (heads_.splade && weighs) RETURN_IF_ERROR(WeighVocabulary(batch, hidden, outputs));
  return ReturnResults();
}

Status CudaHeads::MakeVectors(CudaVectorHead& head, const Batch& batch,
                              const CudaHiddenStates& hidden, BatchOutputs& outputs) {
  const size_t dimension = head.dimension();
  ASSIGN_OR_RETURN(const CudaPointer vectors, head.Run(batch, hidden));
  pending_.push_back({vectors, batch.sequences() * dimension,
                      [&batch, &outputs, &head, dimension](std::span<const float> numbers) {
                        for (size_t s = 0; s < batch.sequences(); ++s) {
                          if (!(batch.wanted[s].*head.head().wants)) continue;
                          outputs[s].*head.head().output =
                              numbers.subspan(s * dimension, dimension);
                        }
                      }});
  return {};
}

Status CudaHeads::ReturnResults() {
  size_t count = 0;
  for (const Pending& pending : pending_) count += pending.count;
  RETURN_IF_ERROR(results_.Reserve(count * sizeof(float)));
  const std::span<const float> results(results_.host<float>(), count);
  size_t at = 0;
  for (const Pending& pending : pending_) {
    RETURN_IF_ERROR(compute_.CopyToHost(results_.host<float>() + at, pending.numbers,
                                        pending.count * sizeof(float)));
    at += pending.count;
  }
  RETURN_IF_ERROR(compute_.Synchronize());
  at = 0;
  for (const Pending& pending : pending_) {
    pending.receive(results.subspan(at, pending.count));
    at += pending.count;
  }
  pending_.clear();
  return {};
}

}  // namespace embedding
