#include "backends/cpu/heads/pooled_head.h"

#include <optional>
#include <vector>

#include "backends/cpu/heads/pooling.h"
#include "backends/cpu/heads/vector_modules.h"

namespace embedding {
namespace {

class PooledHead : public CpuHead {
 public:
  PooledHead(const PooledVector& pooled, const HeadTensors& tensors, bool Outputs::*wants,
             std::span<const float> SequenceOutputs::*output, size_t hidden_size, ThreadTeam& team)
      : pooling_(pooled.pooling),
        wants_(wants),
        output_(output),
        token_size_(DimensionAfter(pooled.token_modules, hidden_size)),
        modules_(pooled.modules, tensors.modules, pooled.pooled_size(hidden_size), team) {
    if (!pooled.token_modules.empty()) {
      token_modules_.emplace(pooled.token_modules, tensors.token_modules, hidden_size, team);
    }
  }

  void Run(const Batch& batch, const HiddenStates& hidden, BatchOutputs& outputs) override {
    size_t vectors = 0;
    for (const Outputs& wanted : batch.wanted) vectors += wanted.*wants_ ? 1 : 0;
    if (vectors == 0) return;
    pooled_.Resize(vectors * pooling_.size() * token_size_);
    float* to = pooled_.data();
    for (size_t s = 0; s < batch.sequences(); ++s) {
      if (!(batch.wanted[s].*wants_)) continue;
      const std::span<const float> tokens = TokensOf(hidden.of(s));
      for (const Pooling pooling : pooling_) {
        Pool(pooling, tokens, token_size_, batch.first_pooled_of(s), {to, token_size_});
        to += token_size_;
      }
    }
    std::span<const float> rows = modules_.Run(pooled_.span());
    const size_t dimension = rows.size() / vectors;
    for (size_t s = 0; s < batch.sequences(); ++s) {
      if (!(batch.wanted[s].*wants_)) continue;
      outputs[s].*output_ = rows.first(dimension);
      rows = rows.subspan(dimension);
    }
  }

 private:
  // The token modules of a sequence's hidden states.
  std::span<const float> TokensOf(std::span<const float> hidden) {
    if (!token_modules_) return hidden;
    tokens_.Resize(hidden.size());
    std::copy(hidden.begin(), hidden.end(), tokens_.data());
    return token_modules_->Run(tokens_.span());
  }

  const std::vector<Pooling> pooling_;
  bool Outputs::*const wants_;
  std::span<const float> SequenceOutputs::*const output_;
  const size_t token_size_;
  std::optional<VectorModules> token_modules_;
  VectorModules modules_;
  AlignedBuffer<float> tokens_;  // [tokens of a sequence, hidden_size]
  AlignedBuffer<float> pooled_;  // [sequences, modes * token_size_]
};

}  // namespace

std::unique_ptr<CpuHead> MakePooledHead(const PooledVector& pooled, const HeadTensors& tensors,
                                        bool Outputs::*wants,
                                        std::span<const float> SequenceOutputs::*output,
                                        size_t hidden_size, ThreadTeam& team) {
  return std::make_unique<PooledHead>(pooled, tensors, wants, output, hidden_size, team);
}

}  // namespace embedding
