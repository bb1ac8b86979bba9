// MlxEncoder: an encoder on a device of MLX. Linear layers run over the packed rows; attention over
// buckets of like length. Numbers are of one type throughout, as PyTorch's .half() has them; inside
// LayerNorm, softmax and products MLX computes in f32.
#pragma once

#include <mlx/array.h>

#include <cstddef>
#include <cstdint>
#include <functional>
#include <optional>
#include <span>
#include <vector>

#include "backends/backend.h"
#include "backends/mlx/arrays.h"
#include "backends/mlx/buckets.h"
#include "backends/mlx/mlx_adapters.h"
#include "backends/mlx/mlx_attention.h"
#include "backends/mlx/mlx_feed_forward.h"
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
  // `score_bytes`: as MlxAttention has it.
  MlxEncoder(const Encoder& encoder, const EncoderTensors& tensors, mlx::core::Dtype dtype,
             bool compiled, size_t score_bytes = kScoreBytes);
  MlxEncoder(const MlxEncoder&) = delete;  // what is compiled has its address
  MlxEncoder& operator=(const MlxEncoder&) = delete;

  // The last hidden states of the wanted tokens, [rows, hidden_size], those of one sequence after
  // another; there may be more rows, without meaning. Nothing is computed yet.
  mlx::core::array Run(const Batch& batch, std::span<const TokenRange> wanted);

 private:
  using Array = mlx::core::array;
  using Function = std::function<std::vector<Array>(const std::vector<Array>&)>;
  struct LayerWeights {
    std::optional<MlxNorm> input_norm;
    MlxAdaptedLinear qkv;  // q, k, v side by side
    MlxHeadPreparation preparation;
    MlxFeedForward feed_forward;
  };

  const LayerWeights& weights_of(size_t layer) const {
    return layers_[encoder_.layers[layer].weights];
  }
  Array Embed(const Batch& batch, const MlxAdaptedRows* adapted);
  // What the encoder's convolution adds to its first layer's output; `first` is that layer's input.
  Array Convolved(const Batch& batch, const Array& first) const;
  Array FeedForward(size_t layer, const Array& x, const Array& context, const Array& first,
                    const MlxAdaptedRows* adapted) const;

  const Encoder encoder_;
  Array word_embeddings_;
  std::optional<Array> position_embeddings_;
  std::optional<Array> token_type_embeddings_;
  std::optional<MlxAdapters> word_adapters_;
  std::optional<MlxAdapters> token_type_adapters_;
  std::optional<MlxNorm> embeddings_norm_;
  std::optional<MlxLinear> projection_;
  std::optional<MlxNorm> projected_norm_;
  std::vector<LayerWeights> layers_;  // by Layer::weights
  std::optional<MlxNorm> final_norm_;
  std::optional<MlxLinear> convolution_;
  std::optional<MlxNorm> convolution_norm_;
  MlxAttention attention_;
  // [layers] {x, context, first} and ArraysOf -> the layer's output; equal layers have the same.
  // Empty where nothing is compiled. (In what attention does there is nothing to fuse, and of its
  // shapes there are tens of thousands.)
  std::vector<Function> feed_forwards_;
  std::vector<int32_t> positions_;  // of the batch that is computed
};

}  // namespace embedding
