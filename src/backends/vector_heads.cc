#include "backends/vector_heads.h"

#include <utility>

namespace embedding {
namespace {

VectorHead ClassifierHead(const Classifier& classifier, const ClassifierTensors& tensors) {
  VectorHead head;
  head.vector.pooling = {classifier.pooling};
  head.padding_id = classifier.padding_id;
  head.wants = &Outputs::logits;
  head.output = &SequenceOutputs::logits;
  std::vector<VectorModule>& modules =
      classifier.pools_late ? head.vector.token_modules : head.vector.modules;
  std::vector<ModuleTensors>& weights = classifier.pools_late ? head.token_modules : head.modules;
  const auto dense = [](const LinearTensors& linear, Activation activation) {
    return DenseModule{.in_features = linear.in_features(),
                       .out_features = linear.out_features(),
                       .bias = linear.bias.has_value(),
                       .activation = activation};
  };
  if (classifier.dense) {
    modules.emplace_back(dense(*tensors.dense, *classifier.dense));
    weights.push_back({.linear = tensors.dense});
  }
  if (classifier.norm) {
    modules.emplace_back(LayerNormModule{.norm = *classifier.norm});
    weights.push_back({.norm = tensors.norm});
  }
  head.vector.modules.emplace_back(dense(tensors.output, Activation::kIdentity));
  head.modules.push_back({.linear = tensors.output});
  return head;
}

}  // namespace

std::vector<VectorHead> VectorHeadsOf(const Heads& heads, const HeadTensors& tensors) {
  std::vector<VectorHead> made;
  if (heads.pooled) {
    made.push_back({*heads.pooled, tensors.modules, tensors.token_modules, std::nullopt,
                    &Outputs::dense, &SequenceOutputs::dense});
  }
  if (heads.scores) {
    made.push_back({*heads.scores, tensors.modules, tensors.token_modules, std::nullopt,
                    &Outputs::logits, &SequenceOutputs::logits});
  }
  if (heads.classifier) made.push_back(ClassifierHead(*heads.classifier, *tensors.classifier));
  return made;
}

std::vector<PooledRows> RowsToPool(const VectorHead& head, const Batch& batch,
                                   std::span<const uint32_t> begins) {
  std::vector<PooledRows> rows;
  for (size_t s = 0; s < batch.sequences(); ++s) {
    const size_t skipped = head.vector.pools_prompt ? 0 : batch.first_pooled_of(s);
    uint32_t end = begins[s + 1];
    if (head.padding_id && head.vector.pooling.front() == Pooling::kLastToken) {
      const auto is_padding = [&](uint32_t row) {
        return batch.input_ids[batch.offsets[s] + row - begins[s]] == *head.padding_id;
      };
      while (end > begins[s] + 1 && is_padding(end - 1)) --end;
    }
    rows.push_back({static_cast<int32_t>(begins[s]), static_cast<int32_t>(begins[s] + skipped),
                    static_cast<int32_t>(end)});
  }
  return rows;
}

}  // namespace embedding
