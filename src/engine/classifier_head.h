// ClassifierHead: the logits of a *ForSequenceClassification model, a cross-encoder say, from the
// hidden state of a sequence's first token.
//   BERT               logits = classifier(tanh(pooler.dense(h)))
//   (XLM-)RoBERTa      logits = classifier.out_proj(tanh(classifier.dense(h)))
// Not thread-safe: the computing thread owns it.
#pragma once

#include <cstddef>
#include <memory>
#include <span>

#include "backends/backend.h"
#include "base/aligned_buffer.h"
#include "base/result.h"
#include "model/model_spec.h"
#include "weights/tensor_store.h"

namespace embedding {

class ClassifierHead {
 public:
  // Errors: kModelLoad naming the tensor.
  static Result<ClassifierHead> Load(const ModelSpec& spec, const TensorStore& weights,
                                     Backend& backend);

  // first_tokens is [sequences, hidden_size]; the result, [sequences, labels], is valid until the
  // next call.
  std::span<const float> Run(std::span<const float> first_tokens);

 private:
  size_t hidden_size_ = 0;
  size_t labels_ = 0;
  std::unique_ptr<LinearLayer> dense_;
  std::unique_ptr<LinearLayer> projection_;
  AlignedBuffer<float> pooled_;  // [sequences, hidden_size]
  AlignedBuffer<float> logits_;  // [sequences, labels]
};

}  // namespace embedding
