#include "engine/classifier_head.h"

#include "engine/linear_weights.h"

namespace embedding {

Result<ClassifierHead> ClassifierHead::Load(const ModelSpec& spec, const TensorStore& weights,
                                            Backend& backend) {
  const bool is_bert = spec.encoder.family == ModelFamily::kBert;
  const size_t hidden = spec.encoder.hidden_size;
  ClassifierHead head;
  head.hidden_size_ = hidden;
  head.labels_ = spec.encoder.labels.size();
  ASSIGN_OR_RETURN(head.dense_,
                   LoadLinear(weights, is_bert ? "bert.pooler.dense." : "classifier.dense.", hidden,
                              hidden, /*has_bias=*/true, Activation::kTanh, backend));
  ASSIGN_OR_RETURN(head.projection_,
                   LoadLinear(weights, is_bert ? "classifier." : "classifier.out_proj.", hidden,
                              head.labels_, /*has_bias=*/true, Activation::kIdentity, backend));
  return head;
}

std::span<const float> ClassifierHead::Run(std::span<const float> first_tokens) {
  const size_t sequences = first_tokens.size() / hidden_size_;
  pooled_.Resize(sequences * hidden_size_);
  logits_.Resize(sequences * labels_);
  dense_->Apply(sequences, first_tokens, pooled_.span());
  projection_->Apply(sequences, pooled_.span(), logits_.span());
  return logits_.span();
}

}  // namespace embedding
