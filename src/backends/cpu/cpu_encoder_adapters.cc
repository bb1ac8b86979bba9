// What CpuEncoder does where its rows may have adapters (adapters.h): products are finished row by
// row, when the adapter's part is in.
#include <cstddef>
#include <cstdint>
#include <optional>

#include "backends/cpu/add_bias.h"
#include "backends/cpu/cpu_encoder.h"

namespace embedding {

void CpuEncoder::AdaptHeads(const LayerWeights& layer, const Attention& attention, size_t first,
                            size_t row, uint8_t* qkv) {
  if (adapted_.of(row) < 0) return;
  const auto which = static_cast<size_t>(adapted_.of(row));
  const float* const x = adapted_.input(row - first);
  const auto add = [&](const std::optional<LinearAdapters>& adapters, size_t at) {
    if (!adapters) return;
    if (between_ == DType::kF32) {
      adapters->AddTo(which, x, reinterpret_cast<float*>(qkv) + at);
    } else {
      adapters->AddTo(which, x, reinterpret_cast<BFloat16*>(qkv) + at);
    }
  };
  add(layer.adapters.query, 0);
  add(layer.adapters.key, attention.width());
  add(layer.adapters.value, attention.width() + attention.kv_width());
}

OutputView CpuEncoder::IntermediateOf(size_t i, size_t rows) {
  const embedding::FeedForward& feed_forward = encoder_.layers[i].feed_forward;
  if (!encoder_.adapters || !feed_forward.gated) return intermediate_.Output(rows);
  gates_.Resize(rows * 2 * feed_forward.width);
  return {gates_.data(), rows, 2 * feed_forward.width};
}

RowEpilogue CpuEncoder::FinishIntermediate(size_t i, size_t first) {
  RowEpilogue hand_over = intermediate_.Epilogue();
  if (!encoder_.adapters) return hand_over;
  return [this, i, first, hand_over](size_t begin, size_t end) {
    const auto finish = [&]<typename T>(T* intermediate) {
      const size_t width = encoder_.layers[i].feed_forward.width;
      for (size_t row = begin; row < end; ++row) {
        FinishIntermediateRow(i, first, row, intermediate + row * width);
      }
    };
    if (between_ == DType::kF32) {
      finish(static_cast<float*>(intermediate_.data()));
    } else {
      finish(static_cast<BFloat16*>(intermediate_.data()));
    }
    if (hand_over) hand_over(begin, end);
  };
}

template <typename T>
void CpuEncoder::FinishIntermediateRow(size_t i, size_t first, size_t row, T* x) {
  const embedding::FeedForward& feed_forward = encoder_.layers[i].feed_forward;
  const LayerAdapters& adapters = weights_of(i).adapters;
  const size_t width = feed_forward.width;
  const int32_t which = adapted_.any() ? adapted_.of(first + row) : -1;
  const auto adapt = [&](const std::optional<LinearAdapters>& adapter, auto* to) {
    if (which < 0 || !adapter) return;
    adapter->AddTo(static_cast<size_t>(which), adapted_.input(row), to);
  };
  if (!feed_forward.gated) {
    adapt(adapters.intermediate, x);
    ActivateRow(feed_forward.activation, width, x);
    return;
  }
  float* const gate = gates_.data() + row * 2 * width;
  const float* const gated = gate + width;
  adapt(adapters.gate, gate);
  adapt(adapters.intermediate, gate + width);
  ActivateRow(feed_forward.activation, width, gate);
  for (size_t k = 0; k < width; ++k) x[k] = static_cast<T>(gate[k] * gated[k]);
}

}  // namespace embedding
