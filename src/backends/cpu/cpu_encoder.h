// The encoder on the CPU: from token ids to the last hidden states.
#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <span>
#include <vector>

#include "backends/backend.h"
#include "backends/cpu/convolution.h"
#include "backends/cpu/disentangled.h"
#include "backends/cpu/encoder_weights.h"
#include "backends/cpu/input_matrix.h"
#include "backends/cpu/mixture.h"
#include "backends/cpu/rotary.h"
#include "backends/wanted_tokens.h"
#include "base/aligned_buffer.h"
#include "base/thread_team.h"

namespace embedding {

// Not thread-safe.
class CpuEncoder {
 public:
  // Packs the weights for `team`, which must outlive the encoder. Errors: kModelLoad naming the
  // tensor. Throws what packing throws.
  static Result<CpuEncoder> Load(const Encoder& encoder, const EncoderTensors& tensors,
                                 EncoderTypes types, ThreadTeam& team);

  // The last hidden states of the tokens `wanted`, [sequences], of each sequence, side by side:
  // f32, [their number, hidden_size], valid until the next call. Throws std::bad_alloc.
  std::span<const float> Run(const Batch& batch, std::span<const TokenRange> wanted);

 private:
  // Rows that go through a layer's products together. Their widest intermediate result,
  // 512 x 4,096 floats for bge-m3, is 8 MB: it stays in the last-level cache, and memory does not
  // grow with the batch. Fewer rows would read the weights from memory more often than the products
  // hide.
  static constexpr size_t kChunkRows = 512;
  // Of a pass without a product: fewer are done sooner than another thread is woken.
  static constexpr size_t kMinRows = 4;

  CpuEncoder(const Encoder& encoder, EncoderWeights weights, EncoderTypes types, ThreadTeam& team);

  LayerWeights& weights_of(size_t layer) { return weights_.layers[encoder_.layers[layer].weights]; }
  void Reserve(const Batch& batch);
  // hidden_ of all tokens, and their qkv_ for the first layer.
  void Embed(const Batch& batch);
  // The sum of the embeddings of token i, normalised, [embedding_size].
  void EmbedToken(const Batch& batch, size_t i, float* out) const;
  // context_ of layer `i`, of the queries that ask.
  void Attend(size_t i, const Batch& batch, std::span<const TokenRange> queries);
  // The rows of hidden_ become those of the wanted tokens. How many there are.
  size_t Keep(const Batch& batch, std::span<const TokenRange> wanted);
  // hidden_ of `total_rows` rows from their context_, and qkv_ for layer `i + 1` if there is one.
  void FeedForward(size_t i, size_t total_rows);
  // Rows [first, first + rows) of qkv_ for layer `i`, if there is one, from normalised_.
  void Project(size_t i, size_t first, size_t rows);
  // What half a layer gives, in branch_, for the rows of hidden_ from `first` on.
  struct Branch {
    const HalfNormWeights& norms;
    const NormParameters* next;  // what its input is normalised by of what follows
    size_t first;
    const LinearAdapters* adapters = nullptr;  // of the product that gives it, whose input is
    Handover* source = nullptr;                // this, from row `source_first` on, of as many
    size_t source_first = 0;                   // numbers
    size_t source_width = 0;
    float scale = 1;  // of the sum
  };
  // The end of the pass that writes it: adds the branch's rows to those of hidden_, and prepares
  // them for what follows.
  RowEpilogue AddBranch(const Branch& branch);
  // The end of the pass that writes rows of intermediate_ from their input, rows of normalised_.
  RowEpilogue FinishIntermediate(size_t i, size_t first);
  template <typename T>
  void FinishIntermediateRow(size_t i, size_t first, size_t row, T* x);
  // Where the product of that pass goes.
  OutputView IntermediateOf(size_t i, size_t rows);
  // What the adapters of rows from `first` on add to their q, k and v.
  void AdaptHeads(const LayerWeights& layer, const Attention& attention, size_t first, size_t row,
                  uint8_t* qkv);
  // The norm that stands before layer `i`, or before what follows the last; nullptr if none does.
  const NormParameters* NormBefore(size_t i) const;
  // Row `row` of what the next product takes becomes that of hidden, normalised by `next`.
  void HandOn(size_t row, float* hidden, const NormParameters* next);

  Encoder encoder_;
  ThreadTeam& team_;
  EncoderWeights weights_;
  DType between_;  // EncoderTypes::between
  // By layer, which of the tables is its own.
  std::vector<RotaryTable> rotary_tables_;
  std::vector<const RotaryTable*> rotary_;  // [layers], nullptr where a layer has no Rope

  std::vector<int32_t> positions_;  // [tokens], rows of the table of position embeddings
  std::vector<uint32_t> places_;    // [tokens], from 0 on in each sequence
  AlignedBuffer<float> hidden_;     // [tokens, hidden_size], the residual stream
  AlignedBuffer<uint8_t> qkv_;      // [tokens, Attention::qkv_width()] of between_
  Handover context_;                // [tokens, Attention::width()]: attention's results
  InputMatrix embedded_;            // [chunk, embedding_size], where they are projected
  InputMatrix normalised_;          // [chunk, hidden_size]: some rows of hidden_
  AlignedBuffer<float> routed_;     // the same in f32, for a mixture's router
  Handover intermediate_;           // [chunk, FeedForward::width]
  AlignedBuffer<float> gates_;      // [chunk, 2 * FeedForward::width], of a gated one with adapters
  AlignedBuffer<float> branch_;     // [chunk, hidden_size]: what is added to hidden_
  AdaptedRows adapted_;             // of normalised_
  std::optional<LayerInputBranch> layer_inputs_;
  std::optional<ConvolutionBranch> convolution_;
  Mixture mixture_;
  std::optional<DisentangledScores> disentangled_;
};

}  // namespace embedding
