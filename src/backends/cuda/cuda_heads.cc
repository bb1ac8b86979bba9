#include "backends/cuda/cuda_heads.h"

#include <algorithm>
#include <utility>

#include "backends/cuda/row_counts.h"
#include "backends/wanted_tokens.h"

namespace embedding {
namespace {

// The kernels have these numbers: kernels/rows.cu, kernels/heads.cu.
static_assert(static_cast<int>(Activation::kTanh) == 1 && static_cast<int>(Activation::kSilu) == 6);
static_assert(static_cast<int>(Pooling::kMean) == 1 && static_cast<int>(Pooling::kLastToken) == 5);

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
      pooled_(compute.DeviceBuffer()),
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
  for (const ModuleTensors& module : tensors.modules) {
    ASSIGN_OR_RETURN(CudaLinear linear, compute.LoadLinear(*module.linear, ComputeType::kF32));
    made->dense_.push_back(std::move(linear));
    made->dense_outputs_.push_back(compute.DeviceBuffer());
  }
  if (tensors.token_weights)
    RETURN_IF_ERROR(Load(compute, *tensors.token_weights, made->token_weights_));
  if (tensors.token_vectors)
    RETURN_IF_ERROR(Load(compute, *tensors.token_vectors, made->token_vectors_));
  if (tensors.splade) {
    RETURN_IF_ERROR(Load(compute, tensors.splade->transform, made->splade_transform_));
    ASSIGN_OR_RETURN(CudaNorm norm,
                     compute.LoadNorm(tensors.splade->norm, heads.splade->norm, ComputeType::kF32));
    made->splade_norm_.emplace(std::move(norm));
    RETURN_IF_ERROR(Load(compute, tensors.splade->decoder, made->splade_decoder_));
  }
  if (tensors.classifier) {
    RETURN_IF_ERROR(Load(compute, *tensors.classifier->dense, made->classifier_dense_));
    RETURN_IF_ERROR(Load(compute, tensors.classifier->output, made->classifier_output_));
  }
  return made;
}

CudaHeads::RowList CudaHeads::AddRows(size_t begin, size_t count) {
  const RowList list = {rows_.size(), count, RoundUpRows(count)};
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
  list.padded = RoundUpRows(list.count);
  rows_.resize(list.place + list.padded, 0);
  return list;
}

Status CudaHeads::Run(const Batch& batch, const CudaHiddenStates& hidden, BatchOutputs& outputs) {
  pending_.clear();
  token_rows_.reset();
  weight_rows_.reset();
  vector_rows_.reset();
  rows_.assign(hidden.begins.begin(), hidden.begins.end());
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
  if (heads_.pooled && Wants(batch, &Outputs::dense))
    RETURN_IF_ERROR(PoolDense(batch, hidden, outputs));
  if (heads_.token_weights && weighs) RETURN_IF_ERROR(WeighTokens(batch, hidden, outputs));
  if (makes_vectors) RETURN_IF_ERROR(MakeTokenVectors(batch, hidden, outputs));
  if (heads_.splade && weighs) RETURN_IF_ERROR(WeighVocabulary(batch, hidden, outputs));
  if (heads_.classifier && Wants(batch, &Outputs::logits))
    RETURN_IF_ERROR(Classify(batch, hidden, outputs));
  return ReturnResults();
}

Status CudaHeads::PoolRows(Pooling pooling, size_t modes, size_t at, const Batch& batch,
                           const CudaHiddenStates& hidden, CudaBuffer& to) {
  constexpr size_t kColumns = 128;  // of a block
  RETURN_IF_ERROR(
      to.Reserve(RoundUpRows(batch.sequences()) * modes * hidden_size_ * sizeof(float)));
  return compute_.kernels().Launch(
      Kernel::kPool,
      {.x = batch.sequences(), .y = (hidden_size_ + kColumns - 1) / kColumns, .threads = kColumns},
      compute_.stream(), static_cast<int>(pooling), static_cast<int>(modes), static_cast<int>(at),
      hidden.rows, device_rows_.address(), to.address());
}

Status CudaHeads::RunDense(const CudaLinear& linear, Activation activation, const CudaBuffer& x,
                           size_t rows, CudaBuffer& to) {
  if (rows == 0) return {};
  const size_t count = rows * linear.out_features;
  RETURN_IF_ERROR(to.Reserve(count * sizeof(float)));
  RETURN_IF_ERROR(compute_.Multiply(linear, x.address(), rows, /*added=*/0, to.address()));
  return compute_.Activate(activation, to.address(), count, ComputeType::kF32);
}

Status CudaHeads::PoolDense(const Batch& batch, const CudaHiddenStates& hidden,
                            BatchOutputs& outputs) {
  const std::vector<Pooling>& modes = heads_.pooled->pooling;
  for (size_t i = 0; i < modes.size(); ++i)
    RETURN_IF_ERROR(PoolRows(modes[i], modes.size(), i, batch, hidden, pooled_));
  const CudaBuffer* vectors = &pooled_;
  size_t dimension = modes.size() * hidden_size_;
  for (size_t i = 0; i < dense_.size(); ++i) {
    const auto& dense = std::get<DenseModule>(heads_.pooled->modules[i]);
    RETURN_IF_ERROR(RunDense(dense_[i], dense.activation, *vectors, RoundUpRows(batch.sequences()),
                             dense_outputs_[i]));
    vectors = &dense_outputs_[i];
    dimension = dense_[i].out_features;
  }
  pending_.push_back({vectors->address(), batch.sequences() * dimension,
                      [&batch, &outputs, dimension](std::span<const float> numbers) {
                        for (size_t s = 0; s < batch.sequences(); ++s) {
                          if (!batch.wanted[s].dense) continue;
                          outputs[s].dense = numbers.subspan(s * dimension, dimension);
                        }
                      }});
  return {};
}

Status CudaHeads::Classify(const Batch& batch, const CudaHiddenStates& hidden,
                           BatchOutputs& outputs) {
  const size_t rows = RoundUpRows(batch.sequences());
  const size_t labels = classifier_output_->out_features;
  RETURN_IF_ERROR(PoolRows(Pooling::kCls, /*modes=*/1, /*at=*/0, batch, hidden, pooled_));
  RETURN_IF_ERROR(RunDense(*classifier_dense_, Activation::kTanh, pooled_, rows, transformed_));
  RETURN_IF_ERROR(
      RunDense(*classifier_output_, Activation::kIdentity, transformed_, rows, logits_));
  pending_.push_back({logits_.address(), batch.sequences() * labels,
                      [&batch, &outputs, labels](std::span<const float> numbers) {
                        for (size_t s = 0; s < batch.sequences(); ++s) {
                          if (!batch.wanted[s].logits) continue;
                          outputs[s].logits = numbers.subspan(s * labels, labels);
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
