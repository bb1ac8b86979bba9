// What CpuEncoder's layers are given first: the embeddings of the tokens.
#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <optional>

#include "backends/cpu/cpu_encoder.h"
#include "backends/cpu/parallel.h"

namespace embedding {

void CpuEncoder::EmbedToken(const Batch& batch, size_t i, float* out) const {
  const size_t size = encoder_.embedding_size;
  thread_local AlignedBuffer<float> row;
  row.Resize(size);
  const auto add_row = [&](const std::optional<TensorView>& table, int32_t index) {
    if (!table) return;
    CopyRowsToF32(*table, static_cast<size_t>(index), 1, row.span());
    for (size_t k = 0; k < size; ++k) out[k] += row[k];
  };
  const int32_t adapter = adapted_.any() ? adapted_.of(i) : -1;
  const auto adapt = [&](const std::optional<AdapterTensors>& adapters, int32_t index) {
    if (adapter < 0 || !adapters) return;
    AddTableAdapter(*adapters, encoder_.adapters->scale, static_cast<size_t>(adapter),
                    static_cast<size_t>(index), out, size);
  };
  CopyRowsToF32(weights_.word_embeddings, static_cast<size_t>(batch.input_ids[i]), 1, {out, size});
  adapt(weights_.word_adapters, batch.input_ids[i]);
  if (encoder_.embedding_scale != 1) {
    for (size_t k = 0; k < size; ++k) out[k] *= encoder_.embedding_scale;
  }
  add_row(weights_.token_type_embeddings, batch.token_type_ids[i]);
  adapt(weights_.token_type_adapters, batch.token_type_ids[i]);
  add_row(weights_.position_embeddings, weights_.position_embeddings ? positions_[i] : 0);
  if (weights_.embeddings_norm) Normalize(*weights_.embeddings_norm, out, out);
}

void CpuEncoder::Embed(const Batch& batch) {
  const size_t size = encoder_.hidden_size;
  const NormParameters* const next = NormBefore(0);
  for (size_t first = 0; first < batch.tokens(); first += kChunkRows) {
    const size_t rows = std::min(kChunkRows, batch.tokens() - first);
    float* const hidden = hidden_.data() + first * size;
    const auto hand_on = [&](size_t begin, size_t end) {
      for (size_t row = begin; row < end; ++row) {
        float* const x = hidden + row * size;
        if (weights_.projected_norm) Normalize(*weights_.projected_norm, x, x);
        if (layer_inputs_) layer_inputs_->SetFirst(first + row, x);
        HandOn(row, x, next);
      }
    };
    ParallelRanges(team_, rows, kMinRows, [&](size_t begin, size_t end) {
      thread_local AlignedBuffer<float> embedded;
      if (weights_.projection) embedded.Resize(encoder_.embedding_size);
      for (size_t row = begin; row < end; ++row) {
        float* const to = weights_.projection ? embedded.data() : hidden + row * size;
        EmbedToken(batch, first + row, to);
        if (weights_.projection) embedded_.Set(row, to);
      }
      if (!weights_.projection) hand_on(begin, end);
    });
    if (weights_.projection) {
      weights_.projection->Run(embedded_.View(0, rows), {hidden, rows, size}, hand_on);
    }
    Project(0, first, rows);
  }
}

}  // namespace embedding
