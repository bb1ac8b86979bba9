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

// The numbers that an encoder computes in.
struct EncoderTypes {
  DType weight = DType::kF32;  // of its products, as LinearTypes has it
  // What products write for attention and for the next product, kF32 or kBF16. What is added to the
  // residual stream is f32.
  DType between = DType::kF32;
};

struct LayerWeights {
  std::unique_ptr<Linear> qkv;               // hidden_size -> 3 * width: q, k, v
  std::unique_ptr<Linear> attention_output;  // width -> hidden_size
  LayerNormParameters attention_norm;
  std::unique_ptr<Linear> intermediate;  // hidden_size -> FeedForward::width, activation
  std::unique_ptr<Linear> output;        // FeedForward::width -> hidden_size
  LayerNormParameters output_norm;
};

struct EncoderWeights {
  // Tables that stay where the file is mapped: a batch touches few of their rows.
  TensorView word_embeddings;        // [vocab_size, hidden_size]
  TensorView position_embeddings;    // [Positions::count, hidden_size]
  TensorView token_type_embeddings;  // [token_types, hidden_size]
  LayerNormParameters embeddings_norm;
  std::vector<LayerWeights> layers;
};

// Packed for `team`, as PackLinear does. Errors: kModelLoad naming a tensor with numbers beyond
// f16's, for weights of that.
Result<EncoderWeights> PackEncoderWeights(const Encoder& encoder, const EncoderTensors& tensors,
                                          EncoderTypes types, ThreadTeam& team);

}  // namespace embedding
