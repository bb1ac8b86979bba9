#include "backends/cpu/cpu_backend.h"

#include <fmt/format.h>

#include <algorithm>
#include <exception>
#include <utility>

#include "backends/cpu/activations.h"
#include "backends/cpu/attention.h"
#include "backends/cpu/cpu_linear.h"
#include "backends/cpu/encoder_weights.h"
#include "backends/cpu/matmul.h"
#include "backends/cpu/onednn_matmul.h"
#include "backends/cpu/panel_matmul.h"
#include "backends/cpu/parallel.h"
#include "base/aligned_buffer.h"

namespace embedding {
namespace {

// Rows that go through a layer's products together. Their widest intermediate result,
// 512 x 4,096 floats for bge-m3, is 8 MB: it stays in the last-level cache, and memory does not
// grow with the batch. Fewer rows would read the weights from memory more often than the products
// hide.
constexpr size_t kChunkRows = 512;

std::string_view NameOf(ComputeType type) {
  switch (type) {
    case ComputeType::kBF16:
      return "bf16";
    case ComputeType::kF16:
      return "f16";
    case ComputeType::kInt8:
      return "int8";
    default:
      return "f32";
  }
}

// In is what the products multiply, T what they write for attention and for the next product: float
// or BFloat16.
template <typename In, typename T>
class CpuBackend : public Backend {
 public:
  CpuBackend(const EncoderConfig& config, EncoderWeights<In, T> weights, ComputeType type,
             std::shared_ptr<ThreadTeam> team)
      : config_(config), team_(std::move(team)), weights_(std::move(weights)), type_(type) {}

  Result<std::span<const float>> Encode(const PackedBatch& batch) override;
  Result<std::unique_ptr<LinearLayer>> MakeLinear(const TensorView& weight, const TensorView* bias,
                                                  Activation activation) override {
    return MakeCpuLinear(weight, bias, activation, *team_);
  }
  std::string_view device() const override { return "cpu"; }
  std::string_view dtype() const override { return NameOf(type_); }

 private:
  void Reserve(size_t tokens);
  // positions_ of all tokens.
  void Place(const PackedBatch& batch);
  // hidden_ of all tokens, and their qkv_ for the first layer.
  void Embed(const PackedBatch& batch);
  // Row s of hidden_ becomes that of sequence s's first token.
  void KeepFirstTokens(std::span<const uint32_t> offsets);
  // hidden_ of `total_rows` rows from their context_, and qkv_ for layer `i + 1` if there is one.
  void FeedForward(size_t i, size_t total_rows);
  // Rows [first, first + rows) of qkv_ for layer `i`, if there is one, from normalised_.
  void Project(size_t i, size_t first, size_t rows);
  // The end of the pass that writes `branch`, or that writes hidden_ itself if it is nullptr: adds
  // the branch's rows to those of hidden_ from `first` on and normalises them, hidden_ and
  // normalised_ alike.
  FinishRows AddNormalize(const LayerNormParameters& norm, size_t first, const float* branch);

  const EncoderConfig config_;
  const std::shared_ptr<ThreadTeam> team_;
  EncoderWeights<In, T> weights_;
  const ComputeType type_;

  std::vector<uint32_t> positions_;  // [tokens]
  AlignedBuffer<float> hidden_;      // [tokens, hidden_size], the residual stream
  AlignedBuffer<T> qkv_;             // [tokens, 3 * hidden_size]
  Handover<In, T> context_;          // [tokens, hidden_size]: attention's results
  Activations<In> normalised_;       // [kChunkRows, hidden_size]: some rows of hidden_
  Handover<In, T> intermediate_;     // [kChunkRows, intermediate_size]
  AlignedBuffer<float> branch_;      // [kChunkRows, hidden_size]: what is added to hidden_
};

template <typename In, typename T>
Result<std::span<const float>> CpuBackend<In, T>::Encode(const PackedBatch& batch) {
  try {
    Reserve(batch.tokens());
    Place(batch);
    Embed(batch);
    size_t rows = batch.tokens();
    for (size_t i = 0; i < weights_.layers.size(); ++i) {
      const bool first_tokens_only = batch.first_tokens_only && i + 1 == weights_.layers.size();
      PackedAttention(*team_, qkv_.data(), batch.offsets, config_.num_attention_heads,
                      config_.head_dim(), first_tokens_only ? 1 : rows, context_.data(),
                      context_.Finish());
      if (first_tokens_only) {
        KeepFirstTokens(batch.offsets);
        rows = batch.sequences();
      }
      FeedForward(i, rows);
    }
    return hidden_.span().first(rows * config_.hidden_size);
  } catch (const std::exception& e) {  // oneDNN and allocation
    return Error{
        ErrorCode::kInternal, fmt::format("computing on the CPU failed: {}", e.what()), {}};
  }
}

template <typename In, typename T>
void CpuBackend<In, T>::Reserve(size_t tokens) {
  const size_t chunk = std::min(kChunkRows, tokens);
  hidden_.Resize(tokens * config_.hidden_size);
  qkv_.Resize(tokens * 3 * config_.hidden_size);
  context_.Resize(tokens, config_.hidden_size);
  normalised_.Resize(chunk, config_.hidden_size);
  intermediate_.Resize(chunk, config_.intermediate_size);
  branch_.Resize(chunk * config_.hidden_size);
}

// BERT counts a sequence's tokens from 0. RoBERTa's family counts those that are not the padding
// token from the id of that on, and places padding, which a text may contain, at that id itself
// (create_position_ids_from_input_ids of transformers).
template <typename In, typename T>
void CpuBackend<In, T>::Place(const PackedBatch& batch) {
  positions_.resize(batch.tokens());
  const bool skips_padding = config_.family != ModelFamily::kBert;
  for (size_t s = 0; s < batch.sequences(); ++s) {
    auto next = static_cast<uint32_t>(config_.position_offset());
    for (size_t i = batch.offsets[s]; i < batch.offsets[s + 1]; ++i) {
      const bool is_padding = skips_padding && batch.input_ids[i] == config_.pad_token_id;
      positions_[i] = is_padding ? static_cast<uint32_t>(config_.pad_token_id) : next++;
    }
  }
}

// hidden = LayerNorm(word + position + token type)
template <typename In, typename T>
void CpuBackend<In, T>::Embed(const PackedBatch& batch) {
  const size_t size = config_.hidden_size;
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
    const FinishRows normalize = AddNormalize(weights_.embeddings_norm, first, nullptr);
    constexpr size_t kMinRows = 4;  // less is done sooner than another thread is woken
    ParallelRanges(*team_, rows, kMinRows, [&](size_t begin, size_t end) {
      embed(first + begin, first + end);
      normalize(begin, end);
    });
    Project(0, first, rows);
  }
}

template <typename In, typename T>
void CpuBackend<In, T>::KeepFirstTokens(std::span<const uint32_t> offsets) {
  const size_t size = config_.hidden_size;
  // offsets[s] >= s, so no row is overwritten before it has moved.
  for (size_t s = 0; s + 1 < offsets.size(); ++s) {
    if (offsets[s] == s) continue;
    std::copy_n(hidden_.data() + offsets[s] * size, size, hidden_.data() + s * size);
  }
}

template <typename In, typename T>
void CpuBackend<In, T>::FeedForward(size_t i, size_t total_rows) {
  EncoderLayerWeights<In, T>& layer = weights_.layers[i];
  for (size_t first = 0; first < total_rows; first += kChunkRows) {
    const size_t rows = std::min(kChunkRows, total_rows - first);
    const MatrixView<float> branch = {branch_.data(), rows, config_.hidden_size};
    layer.attention_output->Run(context_.View(first, rows), branch,
                                AddNormalize(layer.attention_norm, first, branch.data));
    layer.intermediate->Run(normalised_.View(0, rows),
                            {intermediate_.data(), rows, config_.intermediate_size},
                            intermediate_.Finish());
    layer.output->Run(intermediate_.View(0, rows), branch,
                      AddNormalize(layer.output_norm, first, branch.data));
    Project(i + 1, first, rows);
  }
}

template <typename In, typename T>
void CpuBackend<In, T>::Project(size_t i, size_t first, size_t rows) {
  if (i == weights_.layers.size()) return;
  const size_t size = 3 * config_.hidden_size;
  weights_.layers[i].qkv->Run(normalised_.View(0, rows), {qkv_.data() + first * size, rows, size},
                              {});
}

template <typename In, typename T>
FinishRows CpuBackend<In, T>::AddNormalize(const LayerNormParameters& norm, size_t first,
                                           const float* branch) {
  return [this, norm = norm.view(), first, branch](size_t begin, size_t end) {
    const size_t size = config_.hidden_size;
    for (size_t row = begin; row < end; ++row) {
      float* hidden = hidden_.data() + (first + row) * size;
      AddLayerNorm(hidden, branch == nullptr ? nullptr : branch + row * size, norm);
      normalised_.Set(row, hidden);
    }
  };
}

template <typename In, typename T>
Result<std::unique_ptr<Backend>> Make(const EncoderConfig& config, const TensorStore& weights,
                                      ComputeType type, std::shared_ptr<ThreadTeam> team) {
  try {
    using Weights = EncoderWeights<In, T>;
    ASSIGN_OR_RETURN(Weights packed,
                     LoadEncoderWeights<In, T>(config, weights, *team, type == ComputeType::kF16));
    return std::unique_ptr<Backend>(
        std::make_unique<CpuBackend<In, T>>(config, std::move(packed), type, std::move(team)));
  } catch (const std::exception& e) {
    return Error{
        ErrorCode::kModelLoad, fmt::format("packing the weights failed: {}", e.what()), {}};
  }
}

}  // namespace

Result<std::unique_ptr<Backend>> MakeCpuBackend(const EncoderConfig& config,
                                                const TensorStore& weights, ComputeType type,
                                                std::shared_ptr<ThreadTeam> team) {
  const bool has_bf16 = PanelsMultiplyBf16() || OneDnnUsesAmx();
  if (type == ComputeType::kAuto) type = has_bf16 ? ComputeType::kBF16 : ComputeType::kF32;
  if (type == ComputeType::kBF16 && !has_bf16) {
    return Error{ErrorCode::kDeviceUnavailable,
                 "this processor does not multiply bf16; choose the dtype f32 or auto",
                 {}};
  }
  switch (type) {
    case ComputeType::kBF16:
      return Make<BFloat16, BFloat16>(config, weights, type, std::move(team));
    case ComputeType::kInt8:
      return has_bf16 ? Make<Int8, BFloat16>(config, weights, type, std::move(team))
                      : Make<Int8, float>(config, weights, type, std::move(team));
    default:
      return Make<float, float>(config, weights, type, std::move(team));
  }
}

}  // namespace embedding
