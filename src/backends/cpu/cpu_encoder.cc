#include "backends/cpu/cpu_encoder.h"

#include <algorithm>
#include <utility>
#include <vector>

#include "backends/cpu/attention.h"
#include "backends/cpu/parallel.h"
#include "backends/positions.h"

namespace embedding {
namespace {

// Rows that go through a layer's products together. Their widest intermediate result,
// 512 x 4,096 floats for bge-m3, is 8 MB: it stays in the last-level cache, and memory does not
// grow with the batch. Fewer rows would read the weights from memory more often than the products
// hide.
constexpr size_t kChunkRows = 512;

}  // namespace

CpuEncoder::CpuEncoder(const Encoder& encoder, EncoderWeights weights, EncoderTypes types,
                       ThreadTeam& team)
    : encoder_(encoder),
      team_(team),
      weights_(std::move(weights)),
      between_(types.between),
      context_(types.between, LinearTypes{types.weight}.input()),
      normalised_(LinearTypes{types.weight}.input()),
      intermediate_(types.between, LinearTypes{types.weight}.input()) {}

Result<CpuEncoder> CpuEncoder::Load(const Encoder& encoder, const EncoderTensors& tensors,
                                    EncoderTypes types, ThreadTeam& team) {
  ASSIGN_OR_RETURN(EncoderWeights weights, PackEncoderWeights(encoder, tensors, types, team));
  return CpuEncoder(encoder, std::move(weights), types, team);
}

std::span<const float> CpuEncoder::Run(const Batch& batch, std::span<const TokenRange> wanted) {
  Reserve(batch.tokens());
  PlaceTokens(encoder_.positions, batch, positions_);
  Embed(batch);
  size_t rows = batch.tokens();
  for (size_t i = 0; i < weights_.layers.size(); ++i) {
    const bool is_last = i + 1 == weights_.layers.size();
    Attend(i, batch, is_last ? wanted : std::span<const TokenRange>());
    if (is_last) rows = Keep(batch, wanted);
    FeedForward(i, rows);
  }
  return hidden_.span().first(rows * encoder_.hidden_size);
}

void CpuEncoder::Reserve(size_t tokens) {
  const size_t chunk = std::min(kChunkRows, tokens);
  size_t widest = 0;
  for (const Layer& layer : encoder_.layers) widest = std::max(widest, layer.attention.width());
  hidden_.Resize(tokens * encoder_.hidden_size);
  qkv_.Resize(tokens * 3 * widest * DTypeBytes(between_));
  normalised_.Resize(chunk, encoder_.hidden_size);
  branch_.Resize(chunk * encoder_.hidden_size);
}

// hidden = LayerNorm(word + position + token type)
void CpuEncoder::Embed(const Batch& batch) {
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
      add_row(weights_.position_embeddings, static_cast<size_t>(positions_[i]));
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

void CpuEncoder::Attend(size_t i, const Batch& batch, std::span<const TokenRange> queries) {
  const Attention& attention = encoder_.layers[i].attention;
  context_.Resize(batch.tokens(), attention.width());
  const auto attend = [&]<typename T>(const T* qkv) {
    PackedAttention(team_, attention, qkv, batch.offsets, queries, static_cast<T*>(context_.data()),
                    context_.Epilogue());
  };
  const void* const qkv = qkv_.data();
  if (between_ == DType::kF32) {
    attend(static_cast<const float*>(qkv));
  } else {
    attend(static_cast<const BFloat16*>(qkv));
  }
}

size_t CpuEncoder::Keep(const Batch& batch, std::span<const TokenRange> wanted) {
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

void CpuEncoder::FeedForward(size_t i, size_t total_rows) {
  LayerWeights& layer = weights_.layers[i];
  const size_t width = encoder_.layers[i].feed_forward.width;
  intermediate_.Resize(std::min(kChunkRows, total_rows), width);
  for (size_t first = 0; first < total_rows; first += kChunkRows) {
    const size_t rows = std::min(kChunkRows, total_rows - first);
    const OutputView branch = {branch_.data(), rows, encoder_.hidden_size};
    layer.attention_output->Run(context_.View(first, rows), branch,
                                AddNormalize(layer.attention_norm, first, branch_.data()));
    layer.intermediate->Run(normalised_.View(0, rows), {intermediate_.data(), rows, width},
                            intermediate_.Epilogue());
    layer.output->Run(intermediate_.View(0, rows), branch,
                      AddNormalize(layer.output_norm, first, branch_.data()));
    Project(i + 1, first, rows);
  }
}

void CpuEncoder::Project(size_t i, size_t first, size_t rows) {
  if (i == weights_.layers.size()) return;
  const size_t size = 3 * encoder_.layers[i].attention.width();
  weights_.layers[i].qkv->Run(normalised_.View(0, rows),
                              {qkv_.data() + first * size * DTypeBytes(between_), rows, size}, {});
}

RowEpilogue CpuEncoder::AddNormalize(const LayerNormParameters& norm, size_t first,
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

}  // namespace embedding
