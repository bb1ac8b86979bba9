#include "backends/cpu/cpu_backend.h"

#include <fmt/format.h>
#include <omp.h>

#include <algorithm>
#include <cmath>
#include <exception>
#include <type_traits>
#include <utility>

#include "backends/cpu/attention.h"
#include "backends/cpu/encoder_weights.h"
#include "backends/cpu/matmul.h"
#include "backends/cpu/onednn_matmul.h"
#include "backends/cpu/panel_matmul.h"
#include "backends/cpu/parallel.h"
#include "base/aligned_buffer.h"

namespace embedding {
namespace {

// Rows that go through the feed-forward part of a layer together. Its widest intermediate result,
// 512 x 4,096 floats for bge-m3, is 8 MB: it stays in the last-level cache, and memory does not
// grow with the batch. Fewer rows would read the weights from memory more often than the products
// hide.
constexpr size_t kChunkRows = 512;

class CpuLinear : public LinearLayer {
 public:
  CpuLinear(const LinearParameters& parameters, Activation activation, int threads)
      : matmul_(PackMatMul<float, float>(
            parameters, activation == Activation::kGelu ? Activation::kGelu : Activation::kIdentity,
            ComputeType::kF32)),
        in_features_(parameters.in_features),
        out_features_(parameters.out_features),
        activation_(activation),
        threads_(threads) {}

  void Apply(size_t rows, std::span<const float> input, std::span<float> output) override {
    omp_set_num_threads(threads_);
    matmul_->Run({input.data(), rows, in_features_}, {output.data(), rows, out_features_});
    for (float& value : output.first(rows * out_features_)) {
      switch (activation_) {
        case Activation::kTanh:
          value = std::tanh(value);
          break;
        case Activation::kRelu:
          value = std::max(value, 0.0F);
          break;
        case Activation::kSigmoid:
          value = 1.0F / (1.0F + std::exp(-value));
          break;
        case Activation::kIdentity:
        case Activation::kGelu:
          break;  // fused into the product
      }
    }
  }

 private:
  const std::unique_ptr<MatMul<float, float>> matmul_;
  const size_t in_features_;
  const size_t out_features_;
  const Activation activation_;
  const int threads_;
};

// T is what goes from product to product, float or BFloat16, and what they multiply but for int8.
template <typename T>
class CpuBackend : public Backend {
 public:
  CpuBackend(const EncoderConfig& config, EncoderWeights<T> weights, ComputeType type, int threads)
      : config_(config), weights_(std::move(weights)), type_(type), threads_(threads) {}

  Result<std::span<const float>> Encode(const PackedBatch& batch) override;
  Result<std::unique_ptr<LinearLayer>> MakeLinear(const TensorView& weight, const TensorView* bias,
                                                  Activation activation) override;
  std::string_view device() const override { return "cpu"; }
  std::string_view dtype() const override {
    if (type_ == ComputeType::kInt8) return "int8";
    if (type_ == ComputeType::kF16) return "f16";
    return kRounds ? "bf16" : "f32";
  }

 private:
  static constexpr bool kRounds = std::is_same_v<T, BFloat16>;

  void Reserve(size_t tokens);
  void Embed(const PackedBatch& batch);
  // context_ of all tokens, or of each sequence's first.
  void Attend(EncoderLayerWeights<T>& layer, const PackedBatch& batch, bool first_tokens_only);
  // Rows of hidden_, input() and context_ move together: row s becomes that of sequence s's first
  // token.
  void KeepFirstTokens(std::span<const uint32_t> offsets);
  // hidden_ of `total_rows` rows from their context_.
  void FeedForward(EncoderLayerWeights<T>& layer, size_t total_rows);
  // hidden_ += branch (if any), normalised, for rows [first, first + rows); and its rounded copy.
  void Normalize(const LayerNormParameters& norm, const float* branch, size_t first, size_t rows);
  // The products' input, [tokens, hidden_size]: hidden_ itself, or its rounded copy.
  const T* input() const {
    if constexpr (kRounds) {
      return rounded_.data();
    } else {
      return hidden_.data();
    }
  }

  const EncoderConfig config_;
  EncoderWeights<T> weights_;
  const ComputeType type_;
  const int threads_;

  AlignedBuffer<float> hidden_;    // [tokens, hidden_size], the residual stream
  AlignedBuffer<T> rounded_;       // [tokens, hidden_size], with bf16 only
  AlignedBuffer<T> qkv_;           // [tokens, 3 * hidden_size]
  AlignedBuffer<T> context_;       // [tokens, hidden_size]: attention's results
  AlignedBuffer<T> intermediate_;  // [kChunkRows, intermediate_size]
  AlignedBuffer<float> branch_;    // [kChunkRows, hidden_size]
};

template <typename T>
Result<std::span<const float>> CpuBackend<T>::Encode(const PackedBatch& batch) {
  try {
    omp_set_num_threads(threads_);  // a setting of the calling thread
    Reserve(batch.tokens());
    Embed(batch);
    size_t rows = batch.tokens();
    for (size_t i = 0; i < weights_.layers.size(); ++i) {
      const bool first_tokens_only = batch.first_tokens_only && i + 1 == weights_.layers.size();
      Attend(weights_.layers[i], batch, first_tokens_only);
      if (first_tokens_only) {
        KeepFirstTokens(batch.offsets);
        rows = batch.sequences();
      }
      FeedForward(weights_.layers[i], rows);
    }
    return hidden_.span().first(rows * config_.hidden_size);
  } catch (const std::exception& e) {  // oneDNN and allocation
    return Error{
        ErrorCode::kInternal, fmt::format("computing on the CPU failed: {}", e.what()), {}};
  }
}

template <typename T>
void CpuBackend<T>::Reserve(size_t tokens) {
  const size_t chunk = std::min(kChunkRows, tokens);
  hidden_.Resize(tokens * config_.hidden_size);
  if (kRounds) rounded_.Resize(tokens * config_.hidden_size);
  qkv_.Resize(tokens * 3 * config_.hidden_size);
  context_.Resize(tokens * config_.hidden_size);
  intermediate_.Resize(chunk * config_.intermediate_size);
  branch_.Resize(chunk * config_.hidden_size);
}

template <typename T>
void CpuBackend<T>::Normalize(const LayerNormParameters& norm, const float* branch, size_t first,
                              size_t rows) {
  const size_t offset = first * config_.hidden_size;
  BFloat16* rounded = nullptr;
  if constexpr (kRounds) rounded = rounded_.data() + offset;
  AddLayerNorm(hidden_.data() + offset, branch, rows, norm.view(), rounded);
}

// hidden = LayerNorm(word + position + token type)
template <typename T>
void CpuBackend<T>::Embed(const PackedBatch& batch) {
  const size_t size = config_.hidden_size;
  ParallelFor(batch.sequences(), [&](size_t s) {
    thread_local AlignedBuffer<float> row;
    row.Resize(size);
    const size_t first = batch.offsets[s];
    for (size_t i = first; i < batch.offsets[s + 1]; ++i) {
      float* out = hidden_.data() + i * size;
      const auto add_row = [&](const TensorView& table, size_t index) {
        CopyRowsToF32(table, index, 1, row.span());
        for (size_t k = 0; k < size; ++k) out[k] += row[k];
      };
      CopyRowsToF32(weights_.word_embeddings, static_cast<size_t>(batch.input_ids[i]), 1,
                    {out, size});
      add_row(weights_.token_type_embeddings, static_cast<size_t>(batch.token_type_ids[i]));
      add_row(weights_.position_embeddings, i - first + config_.position_offset());
    }
  });
  Normalize(weights_.embeddings_norm, nullptr, 0, batch.tokens());
}

template <typename T>
void CpuBackend<T>::Attend(EncoderLayerWeights<T>& layer, const PackedBatch& batch,
                           bool first_tokens_only) {
  const size_t size = config_.hidden_size;
  for (size_t first = 0; first < batch.tokens(); first += kChunkRows) {
    const size_t rows = std::min(kChunkRows, batch.tokens() - first);
    layer.qkv->Run({input() + first * size, rows, size},
                   {qkv_.data() + first * 3 * size, rows, 3 * size});
  }
  PackedAttention(qkv_.data(), batch.offsets, config_.num_attention_heads, config_.head_dim(),
                  first_tokens_only ? 1 : batch.tokens(), context_.data());
}

template <typename T>
void CpuBackend<T>::KeepFirstTokens(std::span<const uint32_t> offsets) {
  const size_t size = config_.hidden_size;
  // offsets[s] >= s, so no row is overwritten before it has moved.
  for (size_t s = 0; s + 1 < offsets.size(); ++s) {
    const auto move = [&](auto* rows) {
      std::copy_n(rows + offsets[s] * size, size, rows + s * size);
    };
    if (offsets[s] == s) continue;
    move(hidden_.data());
    move(context_.data());
    if constexpr (kRounds) move(rounded_.data());
  }
}

template <typename T>
void CpuBackend<T>::FeedForward(EncoderLayerWeights<T>& layer, size_t total_rows) {
  const size_t size = config_.hidden_size;
  const size_t wide = config_.intermediate_size;
  for (size_t first = 0; first < total_rows; first += kChunkRows) {
    const size_t rows = std::min(kChunkRows, total_rows - first);
    layer.attention_output->Run({context_.data() + first * size, rows, size},
                                {branch_.data(), rows, size});
    Normalize(layer.attention_norm, branch_.data(), first, rows);
    layer.intermediate->Run({input() + first * size, rows, size},
                            {intermediate_.data(), rows, wide});
    layer.output->Run({intermediate_.data(), rows, wide}, {branch_.data(), rows, size});
    Normalize(layer.output_norm, branch_.data(), first, rows);
  }
}

template <typename T>
Result<std::unique_ptr<LinearLayer>> CpuBackend<T>::MakeLinear(const TensorView& weight,
                                                               const TensorView* bias,
                                                               Activation activation) {
  try {
    omp_set_num_threads(threads_);
    const auto out_features = static_cast<size_t>(weight.shape[0]);
    const auto in_features = static_cast<size_t>(weight.shape[1]);
    AlignedBuffer<float> weight_f32(out_features * in_features);
    CopyToF32(weight, weight_f32.span());
    AlignedBuffer<float> bias_f32(bias != nullptr ? out_features : 0);
    if (bias != nullptr) CopyToF32(*bias, bias_f32.span());
    const LinearParameters parameters{weight_f32.span(), bias_f32.span(), in_features,
                                      out_features};
    return std::unique_ptr<LinearLayer>(
        std::make_unique<CpuLinear>(parameters, activation, threads_));
  } catch (const std::exception& e) {
    return Error{
        ErrorCode::kModelLoad, fmt::format("packing a dense layer failed: {}", e.what()), {}};
  }
}

template <typename T>
Result<std::unique_ptr<Backend>> Make(const EncoderConfig& config, const TensorStore& weights,
                                      ComputeType type, int threads) {
  try {
    omp_set_num_threads(threads);
    ASSIGN_OR_RETURN(EncoderWeights<T> packed, LoadEncoderWeights<T>(config, weights, type));
    return std::unique_ptr<Backend>(
        std::make_unique<CpuBackend<T>>(config, std::move(packed), type, threads));
  } catch (const std::exception& e) {
    return Error{
        ErrorCode::kModelLoad, fmt::format("packing the weights failed: {}", e.what()), {}};
  }
}

}  // namespace

Result<std::unique_ptr<Backend>> MakeCpuBackend(const EncoderConfig& config,
                                                const TensorStore& weights, ComputeType type,
                                                int threads) {
  const bool has_bf16 = PanelsMultiplyBf16() || OneDnnUsesAmx();
  if (type == ComputeType::kAuto) type = has_bf16 ? ComputeType::kBF16 : ComputeType::kF32;
  if (type == ComputeType::kBF16 && !has_bf16) {
    return Error{ErrorCode::kDeviceUnavailable,
                 "this processor does not multiply bf16; choose the dtype f32 or auto",
                 {}};
  }
  const bool of_bf16 = type != ComputeType::kF32 && type != ComputeType::kF16 && has_bf16;
  return of_bf16 ? Make<BFloat16>(config, weights, type, threads)
                 : Make<float>(config, weights, type, threads);
}

}  // namespace embedding
