// SpladeHead: SPLADE's weights of vocabulary entries, from a BertForMaskedLM:
//   weight[v] = max over tokens of log(1 + relu(logit[token, v]))
//   logit     = decoder(LayerNorm(gelu(transform(h))))
// (Formal et al. 2021, "SPLADE v2"; the special tokens count like the others.)
// Not thread-safe: the computing thread owns it.
#pragma once

#include <cstddef>
#include <memory>
#include <span>
#include <vector>

#include "backends/backend.h"
#include "base/aligned_buffer.h"
#include "base/result.h"
#include "engine/request.h"
#include "model/model_spec.h"
#include "weights/tensor_store.h"

namespace embedding {

class SpladeHead {
 public:
  // Errors: kModelLoad naming the tensor.
  static Result<SpladeHead> Load(const EncoderConfig& config, const SpladePooling& pooling,
                                 const TensorStore& weights, Backend& backend);

  // hidden is [tokens, hidden_size] of one sequence. The entries with weights above 0, by id.
  std::vector<TokenWeight> Run(std::span<const float> hidden);

 private:
  size_t hidden_size_ = 0;
  size_t vocab_size_ = 0;
  float layer_norm_eps_ = 0;
  SpladePooling pooling_;
  std::vector<float> gamma_;
  std::vector<float> beta_;
  std::unique_ptr<LinearLayer> transform_;
  std::unique_ptr<LinearLayer> decoder_;
  AlignedBuffer<float> transformed_;  // [some tokens, hidden_size]
  AlignedBuffer<float> logits_;       // [some tokens, vocab_size]
};

}  // namespace embedding
