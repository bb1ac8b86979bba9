#include "backends/cpu/cpu_encoder.h"

#include <algorithm>
#include <utility>
#include <vector>

#include "backends/cpu/attention.h"
#include "backends/cpu/encoder_weights.h"
#include "backends/cpu/input_matrix.h"
#include "backends/cpu/linear.h"
#include "backends/cpu/parallel.h"
#include "base/aligned_buffer.h"

namespace embedding {
namespace {

// Rows that go through a layer's products together. Their widest intermediate result,
// 512 x 4,096 floats for bge-m3, is 8 MB: it stays in the last-level cache, and memory does not
// grow with the batch. Fewer rows would read the weights from memory more often than the products
// hide.
constexpr size_t kChunkRows = 512;

// In is what the products multiply, T what they write for attention and for the next product: float
// or BFloat16.
template <typename In, typename T>
class TypedEncoder : public CpuEncoder {
 public:
  TypedEncoder(const Encoder& encoder, EncoderWeights<In, T> weights, ThreadTeam& team)
      : encoder_(encoder), team_(team), weights_(std::move(weights)) {}

  std::span<const float> Run(const Batch& batch, std::span<const TokenRange> wanted) override;

 private:
  void Reserve(size_t tokens);
  // positions_ of all tokens.
  void Place(const Batch& batch);
  // hidden_ of all tokens, and their qkv_ for the first layer.
  void Embed(const Batch& batch);
  // The rows of hidden_ become those of the wanted tokens. How many there are.
  size_t Keep(const Batch& batch, std::span<const TokenRange> wanted);
  // hidden_ of `total_rows` rows from their context_, and qkv_ for layer `i + 1` if there is one.
  void FeedForward(size_t i, size_t total_rows);
  // Rows [first, first + rows) of qkv_ for layer `i`, if there is one, from normalised_.
  void Project(size_t i, size_t first, size_t rows);
  // The end of the pass that writes `branch`, or that writes hidden_ itself if it is nullptr: adds
  // the branch's rows to those of hidden_ from `first` on and normalises them, hidden_ and
  // normalised_ alike.
  RowEpilogue AddNormalize(const LayerNormParameters& norm, size_t first, const float* branch);

  const Encoder encoder_;
  ThreadTeam& team_;
  EncoderWeights<In, T> weights_;

  std::vector<uint32_t> positions_;  // [tokens]
  AlignedBuffer<float> hidden_;      // [tokens, hidden_size], the residual stream
  AlignedBuffer<T> qkv_;             // [tokens, 3 * Attention::width()]
  Handover<In, T> context_;          // [tokens, Attention::width()]: attention's results
  InputMatrix<In> normalised_;       // [kChunkRows, hidden_size]: some rows of hidden_
  Handover<In, T> intermediate_;     // [kChunkRows, FeedForward::width]
  AlignedBuffer<float> branch_;      // [kChunkRows, hidden_size]: what is added to hidden_
};

template <typename In, typename T>
std::span<const float> TypedEncoder<In, T>::Run(const Batch& batch,
                                                std::span<const TokenRange> wanted) {
  Reserve(batch.tokens());
  Place(batch);
  Embed(batch);
  size_t rows = batch.tokens();
  for (size_t i = 0; i < weights_.layers.size(); ++i) {
    const Attention& attention = encoder_.layers[i].attention;
    const bool is_last = i + 1 == weights_.layers.size();
    context_.Resize(batch.tokens(), attention.width());
    PackedAttention(team_, attention, qkv_.data(), batch.offsets,
                    is_last ? wanted : std::span<const TokenRange>(), context_.data(),
                    context_.Epilogue());
    if (is_last) rows = Keep(batch, wanted);
    FeedForward(i, rows);
  }
  return hidden_.span().first(rows * encoder_.hidden_size);
}

template <typename In, typename T>
void TypedEncoder<In, T>::Reserve(size_t tokens) {
  const size_t chunk = std::min(kChunkRows, tokens);
  size_t widest = 0;
  for (const Layer& layer : encoder_.layers) widest = std::max(widest, layer.attention.width());
  hidden_.Resize(tokens * encoder_.hidden_size);
  qkv_.Resize(tokens * 3 * widest);
  normalised_.Resize(chunk, encoder_.hidden_size);
  branch_.Resize(chunk * encoder_.hidden_size);
}

template <typename In, typename T>
void TypedEncoder<In, T>::Place(const Batch& batch) {
  const Positions& of_model = encoder_.positions;
  positions_.resize(batch.tokens());
  for (size_t s = 0; s < batch.sequences(); ++s) {
    auto next = static_cast<uint32_t>(of_model.first);
    for (size_t i = batch.offsets[s]; i < batch.offsets[s + 1]; ++i) {
      const bool is_uncounted = of_model.uncounted_id == batch.input_ids[i];
      positions_[i] = is_uncounted ? static_cast<uint32_t>(batch.input_ids[i]) : next++;
    }
  }
}

// hidden = LayerNorm(word + position + token type)
template <typename In, typename T>
void TypedEncoder<In, T>::Embed(const Batch& batch) {
  const size_t size = encoder_.hidden_size;
  const auto embed = [&](size_t first, size_t last) {
    thread_local AlignedBuffer<float> row;
    row.Resize(size);
    for (size_t i = first; i < last; ++i) {
      float* out = hidden_.data() + i * size;
      const auto add_row = [&](const TensorView& table, size_t index) {
        CopyRowsToF32(table, index, 1, row.span());
        for (size_t k = 0; k < size; ++k) out[k] += row[k];
      };
      CopyRowsToF32(weights_.word_embeddings, static_cast<size_t>(batch.input_ids[i]), 1,
                    {out, size});
      add_row(weights_.token_type_embeddings, static_cast<size_t>(batch.token_type_ids[i]));
      add_row(weights_.position_embeddings, positions_[i]);
    }
  };
  for (size_t first = 0; first < batch.tokens(); first += kChunkRows) {
    const size_t rows = std::min(kChunkRows, batch.tokens() - first);
    const RowEpilogue normalize = AddNormalize(weights_.embeddings_norm, first, nullptr);
    constexpr size_t kMinRows = 4;  // less is done sooner than another thread is woken
    ParallelRanges(team_, rows, kMinRows, [&](size_t begin, size_t end) {
      embed(first + begin, first + end);
      normalize(begin, end);
    });
    Project(0, first, rows);
  }
}

template <typename In, typename T>
size_t TypedEncoder<In, T>::Keep(const Batch& batch, std::span<const TokenRange> wanted) {
  const size_t size = encoder_.hidden_size;
  size_t rows = 0;
  for (size_t s = 0; s < batch.sequences(); ++s) {
    // No row is overwritten before it has moved, for none moves down.
    const size_t from = batch.offsets[s] + wanted[s].begin;
    if (from != rows) {
      std::copy_n(hidden_.data() + from * size, wanted[s].size() * size,
                  hidden_.data() + rows * size);
    }
    rows += wanted[s].size();
  }
  return rows;
}

template <typename In, typename T>
void TypedEncoder<In, T>::FeedForward(size_t i, size_t total_rows) {
  EncoderLayerWeights<In, T>& layer = weights_.layers[i];
  const size_t width = encoder_.layers[i].feed_forward.width;
  intermediate_.Resize(std::min(kChunkRows, total_rows), width);
  for (size_t first = 0; first < total_rows; first += kChunkRows) {
    const size_t rows = std::min(kChunkRows, total_rows - first);
    const MatrixView<float> branch = {branch_.data(), rows, encoder_.hidden_size};
    layer.attention_output->Run(context_.View(first, rows), branch,
                                AddNormalize(layer.attention_norm, first, branch.data));
    layer.intermediate->Run(normalised_.View(0, rows), {intermediate_.data(), rows, width},
                            intermediate_.Epilogue());
    layer.output->Run(intermediate_.View(0, rows), branch,
                      AddNormalize(layer.output_norm, first, branch.data));
    Project(i + 1, first, rows);
  }
}

template <typename In, typename T>
void TypedEncoder<In, T>::Project(size_t i, size_t first, size_t rows) {
  if (i == weights_.layers.size()) return;
  const size_t size = 3 * encoder_.layers[i].attention.width();
  weights_.layers[i].qkv->Run(normalised_.View(0, rows), {qkv_.data() + first * size, rows, size},
                              {});
}

template <typename In, typename T>
RowEpilogue TypedEncoder<In, T>::AddNormalize(const LayerNormParameters& norm, size_t first,
                                              const float* branch) {
  return [this, norm = norm.view(), first, branch](size_t begin, size_t end) {
    const size_t size = encoder_.hidden_size;
    for (size_t row = begin; row < end; ++row) {
      float* hidden = hidden_.data() + (first + row) * size;
      AddLayerNorm(hidden, branch == nullptr ? nullptr : branch + row * size, norm);
      normalised_.Set(row, hidden);
    }
  };
}

template <typename In, typename T>
Result<std::unique_ptr<CpuEncoder>> Make(const Encoder& encoder, const EncoderTensors& tensors,
                                         bool f16_weight, ThreadTeam& team) {
  using Weights = EncoderWeights<In, T>;
  ASSIGN_OR_RETURN(Weights weights,
                   (PackEncoderWeights<In, T>(encoder, tensors, team, f16_weight)));
  return std::unique_ptr<CpuEncoder>(
      std::make_unique<TypedEncoder<In, T>>(encoder, std::move(weights), team));
}

}  // namespace

Result<std::unique_ptr<CpuEncoder>> MakeCpuEncoder(const Encoder& encoder,
                                                   const EncoderTensors& tensors, ComputeType type,
                                                   bool has_bf16, ThreadTeam& team) {
  switch (type) {
    case ComputeType::kBF16:
      return Make<BFloat16, BFloat16>(encoder, tensors, false, team);
    case ComputeType::kInt8:
      return has_bf16 ? Make<Int8, BFloat16>(encoder, tensors, false, team)
                      : Make<Int8, float>(encoder, tensors, false, team);
    default:
      return Make<float, float>(encoder, tensors, type == ComputeType::kF16, team);
  }
}

}  // namespace embedding
