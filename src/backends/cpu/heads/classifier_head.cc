#include "backends/cpu/heads/classifier_head.h"

#include "backends/cpu/heads/dense_layer.h"

namespace embedding {
namespace {

class ClassifierHead : public CpuHead {
 public:
  ClassifierHead(const ClassifierTensors& tensors, ThreadTeam& team)
      : dense_(tensors.dense, Activation::kTanh, team),
        output_(tensors.output, Activation::kIdentity, team) {}

  void Run(const Batch& batch, const HiddenStates& hidden, BatchOutputs& outputs) override {
    const size_t labels = output_.out_features();
    std::span<const float> logits = output_.Run(
        dense_.Run(rows_.Gather(batch, hidden, &Outputs::logits, /*first_alone=*/true)));
    for (size_t s = 0; s < batch.sequences(); ++s) {
      if (!batch.wanted[s].logits) continue;
      outputs[s].logits = logits.first(labels);
      logits = logits.subspan(labels);
    }
  }

 private:
  DenseLayer dense_;
  DenseLayer output_;
  GatheredRows rows_;
};

}  // namespace

std::unique_ptr<CpuHead> MakeClassifierHead(const ClassifierTensors& tensors, ThreadTeam& team) {
  return std::make_unique<ClassifierHead>(tensors, team);
}

}  // namespace embedding
