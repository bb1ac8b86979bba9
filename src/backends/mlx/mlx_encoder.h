// MlxEncoder: an encoder on a device of MLX. Linear layers run over the packed rows; attention over
// buckets of like length. Numbers are of one type throughout, as PyTorch's .half() has them; inside
// LayerNorm, softmax and products MLX computes in f32.
#pragma once

#include <mlx/array.h>

#include <cstdint>
#include <functional>
#include <span>
#include <vector>

#include "backends/backend.h"
#include "backends/mlx/arrays.h"
#include "backends/mlx/buckets.h"
#include "backends/wanted_tokens.h"
#include "model/architecture.h"
#include "model/tensors.h"

namespace embedding {

class MlxEncoder {
 public:
  // With `compiled`, MLX fuses what a layer does and keeps its graphs by shape. (On a CPU it runs a
  // C++ compiler for that.)
  MlxEncoder(const Encoder& encoder, const EncoderTensors& tensors, mlx::core::Dtype dtype,
             bool compiled);

  // The last hidden states of the wanted tokens, [rows, hidden_size], those of one sequence after
  // another; there may be more rows, without meaning. Nothing is computed yet.
  mlx::core::array Run(const Batch& batch, std::span<const TokenRange> wanted);

 private:
  using Arrays = std::vector<mlx::core::array>;
  using Function = std::function<Arrays(const Arrays&)>;
  struct LayerWeights {
    MlxLinear qkv;  // q, k, v side by side
    MlxLinear attention_output;
    MlxNorm attention_norm;
    MlxLinear intermediate;
    MlxLinear output;
    MlxNorm output_norm;
  };
  // What is computed of arrays alone, and so can be compiled.
  struct LayerFunctions {
    Function attend;        // {qkv, rows[, mask]} -> context of a bucket's tokens
    Function feed_forward;  // {x, context} and the weights -> the layer's output
  };

  mlx::core::array Embed(const Batch& batch);
  // `tokens`: of each bucket {rows[, mask]}. -> [the buckets' tokens, width]
  mlx::core::array Attend(size_t layer, const mlx::core::array& x,
                          std::span<const Arrays> tokens) const;

  const Encoder encoder_;
  mlx::core::array word_embeddings_;
  mlx::core::array position_embeddings_;
  mlx::core::array token_type_embeddings_;
  MlxNorm embeddings_norm_;
  std::vector<LayerWeights> layers_;
  std::vector<LayerFunctions> functions_;  // [layers]; equal layers have the same
  std::vector<int32_t> positions_;         // of the batch that is computed
};

}  // namespace embedding
