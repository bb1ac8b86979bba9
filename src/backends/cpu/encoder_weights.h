// EncoderWeights: a BERT, RoBERTa or XLM-RoBERTa encoder's parameters in the form the CPU computes
// with. The three families share their tensors' names and shapes.
#pragma once

#include <memory>
#include <vector>

#include "backends/cpu/layer_norm.h"
#include "backends/cpu/matmul.h"
#include "base/aligned_buffer.h"
#include "base/result.h"
#include "model/model_spec.h"
#include "weights/tensor_store.h"

namespace embedding {

// A LayerNorm that owns its parameters.
struct LayerNormParameters {
  AlignedBuffer<float> gamma;  // [hidden_size]
  AlignedBuffer<float> beta;   // [hidden_size]
  float eps = 0;

  LayerNormWeights view() const { return {gamma.span(), beta.span(), eps}; }
};

// In is what the products multiply, T what they write: float or BFloat16. What is added to the
// residual stream is f32.
template <typename In, typename T>
struct EncoderLayerWeights {
  std::unique_ptr<MatMul<In, T>> qkv;                   // hidden_size -> 3 * hidden_size: q, k, v
  std::unique_ptr<MatMul<In, float>> attention_output;  // hidden_size -> hidden_size
  LayerNormParameters attention_norm;
  std::unique_ptr<MatMul<In, T>> intermediate;  // hidden_size -> intermediate_size, GELU
  std::unique_ptr<MatMul<In, float>> output;    // intermediate_size -> hidden_size
  LayerNormParameters output_norm;
};

template <typename In, typename T>
struct EncoderWeights {
  // Tables that stay where the file is mapped: a batch touches few of their rows.
  TensorView word_embeddings;        // [vocab_size, hidden_size]
  TensorView position_embeddings;    // [max_position_embeddings, hidden_size]
  TensorView token_type_embeddings;  // [type_vocab_size, hidden_size]
  LayerNormParameters embeddings_norm;
  std::vector<EncoderLayerWeights<In, T>> layers;
};

// Packed for `team`, as PackMatMul does; `f16_weight` is as there.
// Errors: kModelLoad naming the tensor that is missing, or its shape and the one expected.
template <typename In, typename T>
Result<EncoderWeights<In, T>> LoadEncoderWeights(const EncoderConfig& config,
                                                 const TensorStore& store, ThreadTeam& team,
                                                 bool f16_weight);

extern template Result<EncoderWeights<float, float>> LoadEncoderWeights(const EncoderConfig&,
                                                                        const TensorStore&,
                                                                        ThreadTeam&, bool);
extern template Result<EncoderWeights<BFloat16, BFloat16>> LoadEncoderWeights(const EncoderConfig&,
                                                                              const TensorStore&,
                                                                              ThreadTeam&, bool);
extern template Result<EncoderWeights<Int8, float>> LoadEncoderWeights(const EncoderConfig&,
                                                                       const TensorStore&,
                                                                       ThreadTeam&, bool);
extern template Result<EncoderWeights<Int8, BFloat16>> LoadEncoderWeights(const EncoderConfig&,
                                                                          const TensorStore&,
                                                                          ThreadTeam&, bool);

}  // namespace embedding
