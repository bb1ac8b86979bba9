#include "backends/cpu/heads/token_heads.h"

#include <vector>

#include "backends/cpu/heads/dense_layer.h"
#include "base/normalize.h"
#include "model/lexical_weights.h"

namespace embedding {
namespace {

class TokenWeightsHead : public CpuHead {
 public:
  TokenWeightsHead(const TokenWeights& head, const LinearTensors& tensors, ThreadTeam& team)
      : head_(head), layer_(tensors, head.activation, team) {}

  void Run(const Batch& batch, const HiddenStates& hidden, BatchOutputs& outputs) override {
    std::span<const float> weights =
        layer_.Run(rows_.Gather(batch, hidden, &Outputs::lexical_weights));
    for (size_t s = 0; s < batch.sequences(); ++s) {
      if (!batch.wanted[s].lexical_weights) continue;
      const size_t tokens = batch.offsets[s + 1] - batch.offsets[s];
      outputs[s].lexical_weights = WeightsOfTokens(
          batch.input_ids.subspan(batch.offsets[s], tokens), weights.first(tokens), head_);
      weights = weights.subspan(tokens);
    }
  }

 private:
  const TokenWeights head_;
  DenseLayer layer_;
  GatheredRows rows_;
};

class TokenVectorsHead : public CpuHead {
 public:
  TokenVectorsHead(const LinearTensors& tensors, ThreadTeam& team)
      : layer_(tensors, Activation::kIdentity, team) {}

  void Run(const Batch& batch, const HiddenStates& hidden, BatchOutputs& outputs) override {
    const size_t dimension = layer_.out_features();
    std::span<float> vectors = layer_.Run(rows_.Gather(batch, hidden, &Outputs::colbert_vecs));
    for (size_t i = 0; i < vectors.size(); i += dimension) {
      NormalizeL2(vectors.subspan(i, dimension));
    }
    for (size_t s = 0; s < batch.sequences(); ++s) {
      if (!batch.wanted[s].colbert_vecs) continue;
      const size_t size = (batch.offsets[s + 1] - batch.offsets[s]) * dimension;
      if (size == 0) continue;
      outputs[s].colbert_vecs = vectors.subspan(dimension, size - dimension);
      vectors = vectors.subspan(size);
    }
  }

 private:
  DenseLayer layer_;
  GatheredRows rows_;
};

}  // namespace

std::unique_ptr<CpuHead> MakeTokenWeightsHead(const TokenWeights& head,
                                              const LinearTensors& tensors, ThreadTeam& team) {
  return std::make_unique<TokenWeightsHead>(head, tensors, team);
}
std::unique_ptr<CpuHead> MakeTokenVectorsHead(const LinearTensors& tensors, ThreadTeam& team) {
  return std::make_unique<TokenVectorsHead>(tensors, team);
}

}  // namespace embedding
