#include "backends/cpu/heads/pooled_head.h"

#include "backends/cpu/heads/pooling.h"
#include "backends/cpu/heads/vector_modules.h"

namespace embedding {
namespace {

class PooledHead : public CpuHead {
 public:
  PooledHead(const PooledVector& pooled, const std::vector<ModuleTensors>& modules,
             bool Outputs::*wants, std::span<const float> SequenceOutputs::*output,
             size_t hidden_size, ThreadTeam& team)
      : pooling_(pooled.pooling),
        wants_(wants),
        output_(output),
        modules_(pooled.modules, modules, pooled.pooling.size() * hidden_size, team) {}

  void Run(const Batch& batch, const HiddenStates& hidden, BatchOutputs& outputs) override {
    const size_t size = hidden.hidden_size;
    size_t vectors = 0;
    for (const Outputs& wanted : batch.wanted) vectors += wanted.*wants_ ? 1 : 0;
    if (vectors == 0) return;
    pooled_.Resize(vectors * pooling_.size() * size);
    float* to = pooled_.data();
    for (size_t s = 0; s < batch.sequences(); ++s) {
      if (!(batch.wanted[s].*wants_)) continue;
      for (const Pooling pooling : pooling_) {
        Pool(pooling, hidden.of(s), size, batch.first_pooled_of(s), {to, size});
        to += size;
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
  const std::vector<Pooling> pooling_;
  bool Outputs::*const wants_;
  std::span<const float> SequenceOutputs::*const output_;
  VectorModules modules_;
  AlignedBuffer<float> pooled_;  // [sequences, modes * hidden_size]
};

}  // namespace

std::unique_ptr<CpuHead> MakePooledHead(const PooledVector& pooled,
                                        const std::vector<ModuleTensors>& modules,
                                        bool Outputs::*wants,
                                        std::span<const float> SequenceOutputs::*output,
                                        size_t hidden_size, ThreadTeam& team) {
  return std::make_unique<PooledHead>(pooled, modules, wants, output, hidden_size, team);
}

}  // namespace embedding
