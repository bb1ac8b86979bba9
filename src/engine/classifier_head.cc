#include "engine/classifier_head.h"

#include <cstdint>
#include <string>
#include <utility>

namespace embedding {
namespace {

Result<std::unique_ptr<LinearLayer>> LoadLinear(const TensorStore& weights, const std::string& name,
                                                size_t in, size_t out, Activation activation,
                                                Backend& backend) {
  const int64_t weight_shape[] = {static_cast<int64_t>(out), static_cast<int64_t>(in)};
  const int64_t bias_shape[] = {static_cast<int64_t>(out)};
  ASSIGN_OR_RETURN(const TensorView weight, weights.Require(name + ".weight", weight_shape));
  ASSIGN_OR_RETURN(const TensorView bias, weights.Require(name + ".bias", bias_shape));
  return backend.MakeLinear(weight, &bias, activation);
}

}  // namespace

Result<ClassifierHead> ClassifierHead::Load(const ModelSpec& spec, const TensorStore& weights,
                                            Backend& backend) {
  const bool is_bert = spec.encoder.family == ModelFamily::kBert;
  const size_t hidden = spec.encoder.hidden_size;
  ClassifierHead head;
  head.hidden_size_ = hidden;
  head.labels_ = spec.encoder.labels.size();
  ASSIGN_OR_RETURN(head.dense_,
                   LoadLinear(weights, is_bert ? "bert.pooler.dense" : "classifier.dense", hidden,
                              hidden, Activation::kTanh, backend));
  ASSIGN_OR_RETURN(head.projection_,
                   LoadLinear(weights, is_bert ? "classifier" : "classifier.out_proj", hidden,
                              head.labels_, Activation::kIdentity, backend));
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
