// EncoderWeights: an encoder's parameters in the form the CPU computes with.
#pragma once

#include <memory>
#include <vector>

#include "backends/cpu/layer_norm.h"
#include "backends/cpu/linear.h"
#include "base/result.h"
#include "model/architecture.h"
#include "model/tensors.h"

namespace embedding {

// In is what the products multiply, T what they write: float or BFloat16. What is added to the
// residual stream is f32.
template <typename In, typename T>
struct EncoderLayerWeights {
  std::unique_ptr<Linear<In, T>> qkv;                   // hidden_size -> 3 * width: q, k, v
  std::unique_ptr<Linear<In, float>> attention_output;  // width -> hidden_size
  LayerNormParameters attention_norm;
  std::unique_ptr<Linear<In, T>> intermediate;  // hidden_size -> FeedForward::width, activation
  std::unique_ptr<Linear<In, float>> output;    // FeedForward::width -> hidden_size
  LayerNormParameters output_norm;
};

template <typename In, typename T>
struct EncoderWeights {
  // Tables that stay where the file is mapped: a batch touches few of their rows.
  TensorView word_embeddings;        // [vocab_size, hidden_size]
  TensorView position_embeddings;    // [Positions::count, hidden_size]
  TensorView token_type_embeddings;  // [token_types, hidden_size]
  LayerNormParameters embeddings_norm;
  std::vector<EncoderLayerWeights<In, T>> layers;
};

// Packed for `team`, as PackLinear does; `f16_weight` is as there.
// Errors: kModelLoad naming a tensor with numbers beyond f16's.
template <typename In, typename T>
Result<EncoderWeights<In, T>> PackEncoderWeights(const Encoder& encoder,
                                                 const EncoderTensors& tensors, ThreadTeam& team,
                                                 bool f16_weight);

extern template Result<EncoderWeights<float, float>> PackEncoderWeights(const Encoder&,
                                                                        const EncoderTensors&,
                                                                        ThreadTeam&, bool);
extern template Result<EncoderWeights<BFloat16, BFloat16>> PackEncoderWeights(const Encoder&,
                                                                              const EncoderTensors&,
                                                                              ThreadTeam&, bool);
extern template Result<EncoderWeights<Int8, float>> PackEncoderWeights(const Encoder&,
                                                                       const EncoderTensors&,
                                                                       ThreadTeam&, bool);
extern template Result<EncoderWeights<Int8, BFloat16>> PackEncoderWeights(const Encoder&,
                                                                          const EncoderTensors&,
                                                                          ThreadTeam&, bool);

}  // namespace embedding
