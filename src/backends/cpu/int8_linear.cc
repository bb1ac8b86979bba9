// Inputs are unsigned integers, x = (q - zero) * scale (input_matrix.h). What the shift by the
// row's zero adds to a sum is zero * (sum of the column's weights); it is taken off again.

#include "backends/cpu/int8_linear.h"

#include <algorithm>
#include <cmath>
#include <cstdint>

#include "backends/cpu/panel_product.h"
#include "backends/cpu/parallel.h"
#include "base/aligned_buffer.h"

#undef HWY_TARGET_INCLUDE
#define HWY_TARGET_INCLUDE "backends/cpu/int8_linear.cc"
#include "hwy/foreach_target.h"  // IWYU pragma: keep

#include "backends/cpu/elementwise-inl.h"
#include "hwy/highway.h"

#ifndef EMBEDDING_INT8_LINEAR_TYPES
#define EMBEDDING_INT8_LINEAR_TYPES
namespace embedding {

// What turns a tile's sums into outputs, for the columns of one panel.
struct Int8Epilogue {
  const float* scales;         // [columns], of the weight
  const int32_t* weight_sums;  // [columns], of the weight's integers
  const float* bias;           // [columns]
  Activation activation;
};

}  // namespace embedding
#endif

HWY_BEFORE_NAMESPACE();
namespace embedding {
namespace HWY_NAMESPACE {
namespace hn = hwy::HWY_NAMESPACE;

// One row of a tile.
template <typename T>
HWY_INLINE void Epilogue(const int32_t* HWY_RESTRICT sums, const Int8RowScale& row,
                         const Int8Epilogue& epilogue, size_t width, size_t columns,
                         T* HWY_RESTRICT out) {
  const hn::ScalableTag<float> d;
  const hn::ScalableTag<int32_t> di;
  HWY_ALIGN T edge[kMaxPanelWidth];
  T* HWY_RESTRICT to = columns == width ? out : edge;
  const auto zero = hn::Set(di, row.zero);
  const auto row_scale = hn::Set(d, row.scale);
  for (size_t c = 0; c < width; c += hn::Lanes(d)) {
    const auto shift = hn::Mul(zero, hn::LoadU(di, epilogue.weight_sums + c));
    const auto sum = hn::ConvertTo(d, hn::Sub(hn::Load(di, sums + c), shift));
    const auto scale = hn::Mul(row_scale, hn::LoadU(d, epilogue.scales + c));
    const auto y = hn::MulAdd(sum, scale, hn::LoadU(d, epilogue.bias + c));
    StoreFromF32(d, Activate(d, epilogue.activation, y), to + c);
  }
  if (columns != width) std::copy_n(edge, columns, out);
}

void EpilogueF32(const int32_t* sums, const Int8RowScale& row, const Int8Epilogue& epilogue,
                 size_t width, size_t columns, float* out) {
  Epilogue(sums, row, epilogue, width, columns, out);
}
void EpilogueBf16(const int32_t* sums, const Int8RowScale& row, const Int8Epilogue& epilogue,
                  size_t width, size_t columns, BFloat16* out) {
  Epilogue(sums, row, epilogue, width, columns, out);
}

}  // namespace HWY_NAMESPACE
}  // namespace embedding
HWY_AFTER_NAMESPACE();

#if HWY_ONCE
namespace embedding {

HWY_EXPORT(EpilogueF32);
HWY_EXPORT(EpilogueBf16);

namespace {

struct ColumnScale {
  float step;
  float inverse;  // 0 where no number of steps tells the weights: they are 0, or not finite
};

ColumnScale ScaleOf(std::span<const float> weights) {
  constexpr float kLargest = 127;
  float largest = 0;
  float total = 0;
  for (const float w : weights) {
    largest = std::max(largest, std::abs(w));
    total += w;
  }
  const float step = largest / kLargest + total * 0.0F;  // not finite if a weight is not
  return {step, std::isnormal(step) ? kLargest / largest : 0.0F};
}

class Int8Linear : public Linear {
 public:
  Int8Linear(ThreadTeam& team, DType output, const LinearWeights& weights, Activation activation)
      : team_(team),
        kernel_(Int8Kernel()),
        output_(output),
        in_features_(weights.in_features),
        out_features_(weights.out_features),
        activation_(activation) {
    const size_t columns = (out_features_ + kernel_.width - 1) / kernel_.width * kernel_.width;
    for (AlignedBuffer<float>* of_columns : {&scales_, &bias_}) {
      of_columns->Resize(columns);
      std::fill_n(of_columns->data(), columns, 0.0F);
    }
    weight_sums_.Resize(columns);
    std::fill_n(weight_sums_.data(), columns, 0);
    std::copy(weights.bias.begin(), weights.bias.end(), bias_.data());

    AlignedBuffer<float> inverses(out_features_);
    ParallelFor(team, out_features_, [&](size_t feature) {
      const ColumnScale scale =
          ScaleOf(weights.weight.subspan(feature * in_features_, in_features_));
      scales_[feature] = scale.step;
      inverses[feature] = scale.inverse;
    });
    weight_ = PackPanels<int8_t>(
        team, kernel_, in_features_, out_features_,
        [&](size_t feature, size_t first, size_t count, int8_t* to) {
          if (inverses[feature] == 0) return;
          const float* from = weights.weight.data() + feature * in_features_ + first;
          for (size_t i = 0; i < count; ++i) {
            to[i] = static_cast<int8_t>(std::lrint(from[i] * inverses[feature]));
            weight_sums_[feature] += to[i];
          }
        });
  }

  void Run(const InputView& input, const OutputView& output, const RowEpilogue& epilogue) override {
    MultiplyPanels(
        team_, kernel_, weight_, static_cast<const uint8_t*>(input.data), input.stride, input.rows,
        [&](size_t panel, size_t row, size_t rows, const uint8_t* sums) {
          TakeTile(panel, row, rows, input.scales, reinterpret_cast<const int32_t*>(sums),
                   output.data);
        },
        epilogue);
  }

 private:
  // The epilogue of a tile: the outputs of one panel for some rows.
  void TakeTile(size_t panel, size_t row, size_t rows, const Int8RowScale* inputs,
                const int32_t* sums, void* output) const {
    const size_t width = kernel_.width;
    const size_t first = panel * width;
    const size_t columns = std::min(width, out_features_ - first);
    const Int8Epilogue epilogue = {scales_.data() + first, weight_sums_.data() + first,
                                   bias_.data() + first, activation_};
    for (size_t r = 0; r < rows; ++r) {
      const int32_t* of_row = sums + r * width;
      const Int8RowScale& input = inputs[row + r];
      const size_t place = (row + r) * out_features_ + first;
      if (output_ == DType::kF32) {
        HWY_DYNAMIC_DISPATCH(EpilogueF32)
        (of_row, input, epilogue, width, columns, static_cast<float*>(output) + place);
      } else {
        HWY_DYNAMIC_DISPATCH(EpilogueBf16)
        (of_row, input, epilogue, width, columns, static_cast<BFloat16*>(output) + place);
      }
    }
  }

  ThreadTeam& team_;
  const MicroKernel kernel_;
  const DType output_;
  const size_t in_features_;
  const size_t out_features_;
  const Activation activation_;
  PackedWeight weight_;
  // By output feature, up to the end of the last panel.
  AlignedBuffer<float> scales_;
  AlignedBuffer<int32_t> weight_sums_;  // of its integers
  AlignedBuffer<float> bias_;
};

}  // namespace

std::unique_ptr<Linear> PackInt8Linear(ThreadTeam& team, DType output, const LinearWeights& weights,
                                       Activation activation) {
  return std::make_unique<Int8Linear>(team, output, weights, activation);
}

}  // namespace embedding
#endif  // HWY_ONCE
