#include "backends/cpu/heads/pooled_head.h"

#include "backends/cpu/heads/dense_layer.h"
#include "backends/cpu/heads/pooling.h"

namespace embedding {
namespace {

class PooledHead : public CpuHead {
 public:
  PooledHead(const PooledVector& pooled, const std::vector<LinearTensors>& dense, ThreadTeam& team)
      : pooling_(pooled.pooling) {
    for (size_t i = 0; i < dense.size(); ++i) {
      dense_.emplace_back(dense[i], pooled.dense[i].activation, team);
    }
  }

  void Run(const Batch& batch, const HiddenStates& hidden, BatchOutputs& outputs) override {
    const size_t size = hidden.hidden_size;
    size_t vectors = 0;
    for (const Outputs& wanted : batch.wanted) vectors += wanted.dense ? 1 : 0;
    if (vectors == 0) return;
    pooled_.Resize(vectors * pooling_.size() * size);
    float* to = pooled_.data();
    for (size_t s = 0; s < batch.sequences(); ++s) {
      if (!batch.wanted[s].dense) continue;
      for (const Pooling pooling : pooling_) {
        Pool(pooling, hidden.of(s), size, {to, size});
        to += size;
      }
    }
    std::span<const float> rows = pooled_.span();
    for (DenseLayer& layer : dense_) rows = layer.Run(rows);
    const size_t dimension = rows.size() / vectors;
    for (size_t s = 0; s < batch.sequences(); ++s) {
      if (!batch.wanted[s].dense) continue;
      outputs[s].dense = rows.first(dimension);
      rows = rows.subspan(dimension);
    }
  }

 private:
  const std::vector<Pooling> pooling_;
  std::vector<DenseLayer> dense_;
  AlignedBuffer<float> pooled_;  // [sequences, modes * hidden_size]
};

}  // namespace

std::unique_ptr<CpuHead> MakePooledHead(const PooledVector& pooled,
                                        const std::vector<LinearTensors>& dense, ThreadTeam& team) {
  return std::make_unique<PooledHead>(pooled, dense, team);
}

}  // namespace embedding
