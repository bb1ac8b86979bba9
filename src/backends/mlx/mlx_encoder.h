// MlxEncoder: an encoder on a device of MLX. Linear layers run over the packed rows; attention over
// buckets of like length. Numbers are of one type throughout, as PyTorch's .half() has them; inside
// LayerNorm, softmax and products MLX computes in f32.
#pragma once

#include <mlx/array.h>

#include <cstddef>
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
  // Of 1,000 tokens and 16 heads those of 16 sequences in f16: enough work at a time for a GPU.
  static constexpr size_t kScoreBytes = size_t{512} << 20;

  // With `compiled`, MLX fuses what a layer does with each row by itself and keeps a graph for each
  // number of rows: RoundUpFinely has few. (On a CPU it runs a C++ compiler for that.)
  // Where attention has no fused kernel, its scores take at most `score_bytes` at a time, or what
  // one query's do.
  MlxEncoder(const Encoder& encoder, const EncoderTensors& tensors, mlx::core::Dtype dtype,
             bool compiled, size_t score_bytes = kScoreBytes);

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

  mlx::core::array Embed(const Batch& batch);
  // `tokens`: of each bucket {rows[, mask]}. -> [the buckets' tokens, width]
  mlx::core::array Attend(size_t layer, const mlx::core::array& x,
                          std::span<const Arrays> tokens) const;

  const Encoder encoder_;
  const size_t score_bytes_;
  mlx::core::array word_embeddings_;
  mlx::core::array position_embeddings_;
  mlx::core::array token_type_embeddings_;
  MlxNorm embeddings_norm_;
  std::vector<LayerWeights> layers_;
  // [layers] {x, context} and the weights -> the layer's output; equal layers have the same. (In
  // what attention does there is nothing to fuse, and of its shapes there are tens of thousands.)
  std::vector<Function> feed_forwards_;
  std::vector<int32_t> positions_;  // of the batch that is computed
};

}  // namespace embedding
