#include "backends/cuda/cuda_session.h"

#include <fmt/format.h>

#include <exception>
#include <string_view>
#include <utility>
#include <vector>

#include "backends/adapted_models.h"
#include "backends/cuda/cuda_compute.h"
#include "backends/cuda/cuda_encoder.h"
#include "backends/cuda/cuda_heads.h"
#include "backends/f16_range.h"
#include "backends/wanted_tokens.h"

namespace embedding {
namespace {

// A GPU wants many tokens at once: 16 k of them keep an H100 busy for a fiftieth of a second with
// bge-m3's layers.
constexpr size_t kMaxBatchTokens = 16384;

// Disentangled attention has products of each token with each position: 24 KB of a token in
// deberta-v3-base.
constexpr size_t kMaxPositionTokens = 4096;

// Each has weights of a whole vocabulary on the device: 256 x 30,522 floats are 31 MB.
constexpr size_t kMaxSparseSequences = 256;

class CudaSession : public Session {
 public:
  static Result<std::unique_ptr<Session>> Load(const Architecture& architecture,
                                               const Tensors& tensors, ComputeType type,
                                               std::shared_ptr<const CudaDevice> device);

  Status Run(const Batch& batch, BatchOutputs& outputs) noexcept override;
  Limits limits() const override {
    Limits limits = {.max_tokens = kMaxBatchTokens};
    if (compute_->kernels().options().positions != 0) limits.max_tokens = kMaxPositionTokens;
    if (heads_of_model_.splade) limits.max_sequences = kMaxSparseSequences;
    return limits;
  }
  std::string_view dtype() const override {
    const ComputeType type = compute_->type();
    return type == ComputeType::kF16 ? "f16" : type == ComputeType::kBF16 ? "bf16" : "f32";
  }

 private:
  CudaSession(Heads heads, std::unique_ptr<CudaCompute> compute)
      : heads_of_model_(std::move(heads)), compute_(std::move(compute)) {}
  Status Compute(const Batch& batch, BatchOutputs& outputs);

  const Heads heads_of_model_;
  const std::unique_ptr<CudaCompute> compute_;
  std::unique_ptr<CudaEncoder> encoder_;
  std::unique_ptr<CudaHeads> heads_;

  // Of the batch that is computed.
  std::vector<TokenRange> wanted_;    // [sequences]
  std::vector<uint32_t> row_begins_;  // [sequences + 1]
};

Result<std::unique_ptr<Session>> CudaSession::Load(const Architecture& architecture,
                                                   const Tensors& tensors, ComputeType type,
                                                   std::shared_ptr<const CudaDevice> device) {
  const Encoder& encoder = architecture.encoder;
  RETURN_IF_ERROR(CheckAdapters(encoder));
  ASSIGN_OR_RETURN(auto compute,
                   CudaCompute::Load(std::move(device), KernelOptionsOf(encoder, type)));
  std::unique_ptr<CudaSession> session(new CudaSession(architecture.heads, std::move(compute)));
  ASSIGN_OR_RETURN(session->encoder_,
                   CudaEncoder::Load(*session->compute_, encoder, tensors.encoder));
  ASSIGN_OR_RETURN(session->heads_,
                   CudaHeads::Load(*session->compute_, architecture.heads, tensors.heads));
  session->compute_->FreeStaged();
  return std::unique_ptr<Session>(std::move(session));
}

Status CudaSession::Compute(const Batch& batch, BatchOutputs& outputs) {
  RETURN_IF_ERROR(compute_->device().MakeCurrent());
  wanted_.clear();
  row_begins_.assign(1, 0);
  for (size_t s = 0; s < batch.sequences(); ++s) {
    const uint32_t tokens = batch.offsets[s + 1] - batch.offsets[s];
    wanted_.push_back(
        WantedTokens(heads_of_model_, batch.wanted[s], tokens, batch.first_pooled_of(s)));
    row_begins_.push_back(row_begins_.back() + wanted_.back().size());
  }
  ASSIGN_OR_RETURN(const CudaPointer hidden, encoder_->Run(batch, wanted_));
  return heads_->Run(batch, {hidden, row_begins_}, outputs);
}

Status CudaSession::Run(const Batch& batch, BatchOutputs& outputs) noexcept {
  Status computed;
  try {
    computed = Compute(batch, outputs);
  } catch (const std::exception&) {
    computed = Error{ErrorCode::kOutOfMemory, "out of memory", {}};
  }
  if (computed.ok()) return computed;
  try {
    // What was begun reads buffers that the next batch fills.
    static_cast<void>(compute_->Synchronize());
  } catch (const std::exception&) {  // no memory for its message
  }
  if (computed.error().code == ErrorCode::kOutOfMemory) {
    // Or the batch's halves would have what is left beside the buffers for the whole.
    encoder_->FreeBuffers();
    heads_->FreeBuffers();
  }
  return computed;
}

}  // namespace

Result<std::unique_ptr<Session>> MakeCudaSession(const Architecture& architecture,
                                                 const Tensors& tensors, ComputeType type,
                                                 std::shared_ptr<const CudaDevice> device) {
  return LoadInF16OrWider(architecture, type, [&](ComputeType each) {
    return CudaSession::Load(architecture, tensors, each, device);
  });
}

}  // namespace embedding
