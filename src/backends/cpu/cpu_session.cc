#include "backends/cpu/cpu_session.h"

#include <exception>
#include <new>
#include <string>
#include <utility>

#include "backends/cpu/cpu_encoder.h"
#include "backends/cpu/heads/classifier_head.h"
#include "backends/cpu/heads/pooled_head.h"
#include "backends/cpu/heads/splade_head.h"
#include "backends/cpu/heads/token_heads.h"
#include "backends/cpu/micro_kernels.h"
#include "backends/wanted_tokens.h"
#include "base/mutex.h"

namespace embedding {
namespace {

// Beyond these a larger batch is not computed faster, and its texts wait for one another.
constexpr size_t kMaxBatchTokens = 2048;

std::string_view NameOf(ComputeType type) {
  switch (type) {
    case ComputeType::kBF16:
      return "bf16";
    case ComputeType::kF16:
      return "f16";
    case ComputeType::kInt8:
      return "int8";
    default:
      return "f32";
  }
}

EncoderTypes TypesOf(ComputeType type, bool has_bf16) {
  switch (type) {
    case ComputeType::kBF16:
      return {DType::kBF16, DType::kBF16};
    case ComputeType::kF16:
      return {DType::kF16, DType::kF32};
    case ComputeType::kInt8:
      return {DType::kI8, has_bf16 ? DType::kBF16 : DType::kF32};
    default:
      return {DType::kF32, DType::kF32};
  }
}

class CpuSession : public Session {
 public:
  CpuSession(const Architecture& architecture, ComputeType type, std::shared_ptr<ThreadTeam> team,
             CpuEncoder encoder, std::vector<std::unique_ptr<CpuHead>> heads)
      : hidden_size_(architecture.encoder.hidden_size),
        architecture_heads_(architecture.heads),
        type_(type),
        team_(std::move(team)),
        encoder_(std::move(encoder)),
        heads_(std::move(heads)) {}

  Status Run(const Batch& batch, BatchOutputs& outputs) noexcept override;
  Limits limits() const override { return {.max_tokens = kMaxBatchTokens}; }
  std::string_view dtype() const override { return NameOf(type_); }
  std::string_view products() const override {
    return type_ == ComputeType::kF32 && F32SlicesKernel(hidden_size_) ? "int8 slices" : dtype();
  }

 private:
  void Compute(const Batch& batch, BatchOutputs& outputs);

  const size_t hidden_size_;
  const Heads architecture_heads_;
  const ComputeType type_;
  const std::shared_ptr<ThreadTeam> team_;
  CpuEncoder encoder_;
  const std::vector<std::unique_ptr<CpuHead>> heads_;

  // Of the batch that is computed.
  std::vector<TokenRange> wanted_;  // [sequences]
  std::vector<size_t> row_begins_;  // [sequences + 1]
};

void CpuSession::Compute(const Batch& batch, BatchOutputs& outputs) {
  wanted_.clear();
  row_begins_.assign(1, 0);
  for (size_t s = 0; s < batch.sequences(); ++s) {
    const uint32_t tokens = batch.offsets[s + 1] - batch.offsets[s];
    wanted_.push_back(
        WantedTokens(architecture_heads_, batch.wanted[s], tokens, batch.first_pooled_of(s)));
    row_begins_.push_back(row_begins_.back() + wanted_.back().size());
  }
  const HiddenStates hidden = {encoder_.Run(batch, wanted_), row_begins_, hidden_size_};
  outputs.assign(batch.sequences(), {});
  for (size_t s = 0; s < batch.sequences(); ++s) {
    if (batch.wanted[s].token_embeddings) outputs[s].token_embeddings = hidden.of(s);
  }
  for (const auto& head : heads_) head->Run(batch, hidden, outputs);
}

Status CpuSession::Run(const Batch& batch, BatchOutputs& outputs) noexcept {
  const MutexLock lock(team_->mutex());
  try {
    Compute(batch, outputs);
    return {};
  } catch (const std::bad_alloc&) {
    return Error{ErrorCode::kOutOfMemory, "out of memory", {}};  // short: it takes none itself
  } catch (const std::exception& e) {
    try {
      return Error{
          ErrorCode::kInternal, std::string("computing on the CPU failed: ") + e.what(), {}};
    } catch (const std::exception&) {
      return Error{ErrorCode::kOutOfMemory, "out of memory", {}};
    }
  }
}

std::vector<std::unique_ptr<CpuHead>> MakeHeads(const Architecture& architecture,
                                                const HeadTensors& tensors, ThreadTeam& team) {
  const Heads& heads = architecture.heads;
  std::vector<std::unique_ptr<CpuHead>> made;
  if (heads.pooled) {
    made.push_back(MakePooledHead(*heads.pooled, tensors, &Outputs::dense, &SequenceOutputs::dense,
                                  architecture.encoder.hidden_size, team));
  }
  if (heads.token_weights) {
    made.push_back(MakeTokenWeightsHead(*heads.token_weights, *tensors.token_weights, team));
  }
  if (heads.token_vectors) made.push_back(MakeTokenVectorsHead(*tensors.token_vectors, team));
  if (heads.splade) made.push_back(MakeSpladeHead(*heads.splade, *tensors.splade, team));
  if (heads.classifier) {
    made.push_back(MakeClassifierHead(*heads.classifier, *tensors.classifier, team));
  }
  if (heads.scores) {
    made.push_back(MakePooledHead(*heads.scores, tensors, &Outputs::logits,
                                  &SequenceOutputs::logits, architecture.encoder.hidden_size,
                                  team));
  }
  return made;
}

}  // namespace

Result<std::unique_ptr<Session>> MakeCpuSession(const Architecture& architecture,
                                                const Tensors& tensors, ComputeType type,
                                                bool has_bf16, std::shared_ptr<ThreadTeam> team) {
  ASSIGN_OR_RETURN(CpuEncoder encoder, CpuEncoder::Load(architecture.encoder, tensors.encoder,
                                                        TypesOf(type, has_bf16), *team));
  auto heads = MakeHeads(architecture, tensors.heads, *team);
  return std::unique_ptr<Session>(std::make_unique<CpuSession>(
      architecture, type, std::move(team), std::move(encoder), std::move(heads)));
}

}  // namespace embedding
