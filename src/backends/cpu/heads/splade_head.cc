#include "backends/cpu/heads/splade_head.h"

#include <algorithm>
#include <cmath>
#include <vector>

#include "backends/cpu/heads/dense_layer.h"
#include "backends/cpu/norms.h"
#include "model/lexical_weights.h"

namespace embedding {
namespace {

// Tokens whose logits exist at a time: 64 x 30,522 floats are 8 MB.
constexpr size_t kTokensAtOnce = 64;

class SpladeHead : public CpuHead {
 public:
  SpladeHead(const Splade& splade, const SpladeTensors& tensors, ThreadTeam& team)
      : splade_(splade),
        norm_(tensors.norm, splade.norm),
        transform_(tensors.transform, splade.activation, team),
        decoder_(tensors.decoder, Activation::kIdentity, team) {}

  void Run(const Batch& batch, const HiddenStates& hidden, BatchOutputs& outputs) override {
    for (size_t s = 0; s < batch.sequences(); ++s) {
      if (!batch.wanted[s].lexical_weights) continue;
      outputs[s].lexical_weights = Weights(hidden.of(s), hidden.hidden_size);
    }
  }

 private:
  float Activate(float logit) const {
    const float weight = std::log1p(std::max(logit, 0.0F));
    return splade_.log_twice ? std::log1p(weight) : weight;
  }

  // hidden is [tokens, hidden_size] of one sequence.
  std::vector<TokenWeight> Weights(std::span<const float> hidden, size_t hidden_size) {
    const size_t vocab_size = decoder_.out_features();
    // Of the largest weight the largest logit: what is done to it grows with it.
    pooled_.assign(vocab_size, 0.0F);
    while (!hidden.empty()) {
      const size_t size = std::min(kTokensAtOnce * hidden_size, hidden.size());
      const std::span<float> transformed = transform_.Run(hidden.first(size));
      for (size_t i = 0; i < size; i += hidden_size) {
        Normalize(norm_, transformed.data() + i, transformed.data() + i);
      }
      const std::span<const float> logits = decoder_.Run(transformed);
      for (size_t i = 0; i < logits.size(); i += vocab_size) {
        Add(logits.subspan(i, vocab_size));
      }
      hidden = hidden.subspan(size);
    }
    if (!splade_.sums) {
      for (float& entry : pooled_) {
        if (entry > 0) entry = Activate(entry);
      }
    }
    return WeightsOfVocabulary(pooled_, splade_.max_active_dims);
  }

  // The logits of one token.
  void Add(std::span<const float> logits) {
    for (size_t v = 0; v < logits.size(); ++v) {
      pooled_[v] =
          splade_.sums ? pooled_[v] + Activate(logits[v]) : std::max(pooled_[v], logits[v]);
    }
  }

  const Splade splade_;
  const NormParameters norm_;
  DenseLayer transform_;
  DenseLayer decoder_;
  std::vector<float> pooled_;  // [vocab_size]
};

}  // namespace

std::unique_ptr<CpuHead> MakeSpladeHead(const Splade& splade, const SpladeTensors& tensors,
                                        ThreadTeam& team) {
  return std::make_unique<SpladeHead>(splade, tensors, team);
}

}  // namespace embedding
