#include "backends/cpu/heads/classifier_head.h"

#include <algorithm>
#include <optional>

#include "backends/cpu/heads/dense_layer.h"
#include "backends/cpu/heads/pooling.h"
#include "backends/cpu/norms.h"

namespace embedding {
namespace {

class ClassifierHead : public CpuHead {
 public:
  ClassifierHead(const Classifier& classifier, const ClassifierTensors& tensors, ThreadTeam& team)
      : pooling_(classifier.pooling),
        pools_late_(classifier.pools_late),
        padding_id_(classifier.padding_id),
        output_(tensors.output, Activation::kIdentity, team) {
    if (classifier.dense) dense_.emplace(*tensors.dense, *classifier.dense, team);
    if (classifier.norm) norm_.emplace(*tensors.norm, *classifier.norm);
  }

  void Run(const Batch& batch, const HiddenStates& hidden, BatchOutputs& outputs) override {
    const size_t labels = output_.out_features();
    const std::span<float> pooled = Pooled(batch, hidden);
    std::span<const float> logits = output_.Run(pools_late_ ? pooled : Transform(pooled));
    for (size_t s = 0; s < batch.sequences(); ++s) {
      if (!batch.wanted[s].logits) continue;
      outputs[s].logits = logits.first(labels);
      logits = logits.subspan(labels);
    }
  }

 private:
  // [sequences that want logits, hidden_size]
  std::span<float> Pooled(const Batch& batch, const HiddenStates& hidden) {
    const size_t size = hidden.hidden_size;
    size_t vectors = 0;
    for (const Outputs& wanted : batch.wanted) vectors += wanted.logits ? 1 : 0;
    pooled_.Resize(vectors * size);
    float* to = pooled_.data();
    for (size_t s = 0; s < batch.sequences(); ++s) {
      if (!batch.wanted[s].logits) continue;
      Pool(pooling_, Tokens(WithoutPadding(batch, s, hidden)), size, /*first=*/0, {to, size});
      to += size;
    }
    return pooled_.span();
  }

  // Up to the last token that is none of padding, or the first.
  std::span<const float> WithoutPadding(const Batch& batch, size_t s,
                                        const HiddenStates& hidden) const {
    const std::span<const float> rows = hidden.of(s);
    if (!padding_id_ || pooling_ != Pooling::kLastToken) return rows;
    size_t tokens = batch.offsets[s + 1] - batch.offsets[s];
    const auto is_padding = [&](size_t token) {
      return batch.input_ids[batch.offsets[s] + token] == *padding_id_;
    };
    while (tokens > 1 && is_padding(tokens - 1)) --tokens;
    return rows.first(tokens * hidden.hidden_size);
  }

  // What is pooled of a sequence's hidden states, [tokens, hidden_size] as they are.
  std::span<const float> Tokens(std::span<const float> hidden) {
    if (!pools_late_) return hidden;
    tokens_.Resize(hidden.size());
    std::copy(hidden.begin(), hidden.end(), tokens_.data());
    return Transform(tokens_.span());
  }

  std::span<float> Transform(std::span<float> rows) {
    if (dense_) rows = dense_->Run(rows);
    if (!norm_) return rows;
    const size_t size = norm_->weight().size();
    for (size_t i = 0; i < rows.size(); i += size) Normalize(*norm_, &rows[i], &rows[i]);
    return rows;
  }

  const Pooling pooling_;
  const bool pools_late_;
  const std::optional<int32_t> padding_id_;
  std::optional<DenseLayer> dense_;
  std::optional<NormParameters> norm_;
  DenseLayer output_;
  AlignedBuffer<float> tokens_;
  AlignedBuffer<float> pooled_;
};

}  // namespace

std::unique_ptr<CpuHead> MakeClassifierHead(const Classifier& classifier,
                                            const ClassifierTensors& tensors, ThreadTeam& team) {
  return std::make_unique<ClassifierHead>(classifier, tensors, team);
}

}  // namespace embedding
