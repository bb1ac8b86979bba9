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

#include "backends/cpu/tile_end-inl.h"
#include "hwy/highway.h"

#ifndef EMBEDDING_INT8_LINEAR_TYPES
#define EMBEDDING_INT8_LINEAR_TYPES
namespace embedding {

// What turns a tile's sums into outputs, for the columns of one panel.
struct Int8Epilogue {
  TileColumns columns;
  const RowScale* rows;      // of the tile's rows
  const float* scales;       // [width], of the weight
  const float* weight_sums;  // [width], of the weight's integers
};

}  // namespace embedding
#endif

HWY_BEFORE_NAMESPACE();
namespace embedding {
namespace HWY_NAMESPACE {
namespace hn = hwy::HWY_NAMESPACE;

template <typename T>
HWY_INLINE void Finish(const int32_t* HWY_RESTRICT sums, size_t rows, const Int8Epilogue& epilogue,
                       const TilePlace& place) {
  const hn::ScalableTag<float> d;
  const hn::ScalableTag<int32_t> di;
  const size_t width = epilogue.columns.width;
  const RowScale* const inputs = epilogue.rows;
  StoreTile<T>(epilogue.columns, rows, place, [&](size_t c) HWY_ATTR {
    const auto weight_sums = hn::LoadU(d, epilogue.weight_sums + c);
    const auto scales = hn::LoadU(d, epilogue.scales + c);
    const auto bias = hn::LoadU(d, epilogue.columns.bias + c);
    const int32_t* const of_columns = sums + c;
    return [=](size_t row) HWY_ATTR {
      // In f32: what that rounds is far below what rounding to integers has left out.
      const auto zero = hn::ConvertTo(d, hn::Set(di, inputs[row].zero));
      const auto shifted = hn::ConvertTo(d, hn::Load(di, of_columns + row * width));
      const auto sum = hn::NegMulAdd(zero, weight_sums, shifted);
      return hn::MulAdd(sum, hn::Mul(hn::Set(d, inputs[row].scale), scales), bias);
    };
  });
}

void FinishF32(const int32_t* sums, size_t rows, const Int8Epilogue& epilogue,
               const TilePlace& place) {
  Finish<float>(sums, rows, epilogue, place);
}
void FinishBf16(const int32_t* sums, size_t rows, const Int8Epilogue& epilogue,
                const TilePlace& place) {
  Finish<BFloat16>(sums, rows, epilogue, place);
}

}  // namespace HWY_NAMESPACE
}  // namespace embedding
HWY_AFTER_NAMESPACE();

#if HWY_ONCE
namespace embedding {

HWY_EXPORT(FinishF32);
HWY_EXPORT(FinishBf16);

namespace {

struct ColumnScale {
  float step = 0;
  float inverse = 0;  // 0 where no number of steps tells the weights: they are 0, or not finite
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
  Int8Linear(ThreadTeam& team, DType output, const LinearWeights& weights, Activation activation,
             bool gated)
      : team_(team),
        kernel_(Int8Kernel()),
        output_(output),
        in_features_(weights.in_features),
        columns_(kernel_.width, weights.out_features, gated),
        activation_(activation) {
    const size_t columns = columns_.size();
    scales_.Resize(columns);
    bias_.Resize(columns);
    weight_sums_.Resize(columns);
    AlignedBuffer<float> inverses(columns);
    ParallelFor(team, columns, [&](size_t column) {
      const std::optional<size_t> feature = columns_.feature(column);
      const ColumnScale scale =
          feature ? ScaleOf(weights.weight.subspan(*feature * in_features_, in_features_))
                  : ColumnScale{};
      scales_[column] = scale.step;
      inverses[column] = scale.inverse;
      weight_sums_[column] = 0;
      bias_[column] = feature && !weights.bias.empty() ? weights.bias[*feature] : 0.0F;
    });
    weight_ =
        PackPanels<int8_t>(team, kernel_, in_features_, columns,
                           [&](size_t column, size_t first, size_t count, int8_t* to) {
                             if (inverses[column] == 0) return;
                             const float* from = weights.weight.data() +
                                                 *columns_.feature(column) * in_features_ + first;
                             for (size_t i = 0; i < count; ++i) {
                               to[i] = static_cast<int8_t>(std::lrint(from[i] * inverses[column]));
                               weight_sums_[column] += to[i];
                             }
                           });
  }

  void Run(const InputView& input, const OutputView& output, const RowEpilogue& epilogue) override {
    MultiplyPanels(
        team_, kernel_, weight_, input,
        [&](size_t panel, size_t row, size_t rows, const uint8_t* sums) {
          TakeTile(panel, row, rows, input.scales, reinterpret_cast<const int32_t*>(sums), output);
        },
        epilogue);
  }

 private:
  // The epilogue of a tile: the outputs of one panel for some rows.
  void TakeTile(size_t panel, size_t row, size_t rows, const RowScale* inputs, const int32_t* sums,
                const OutputView& output) const {
    const size_t column = panel * kernel_.width;
    const Int8Epilogue epilogue = {columns_.of(panel, bias_.data() + column, activation_),
                                   inputs + row, scales_.data() + column,
                                   weight_sums_.data() + column};
    const TilePlace place = {output, row, panel * columns_.panel_outputs()};
    if (output_ == DType::kF32) {
      HWY_DYNAMIC_DISPATCH(FinishF32)(sums, rows, epilogue, place);
    } else {
      HWY_DYNAMIC_DISPATCH(FinishBf16)(sums, rows, epilogue, place);
    }
  }

  ThreadTeam& team_;
  const MicroKernel kernel_;
  const DType output_;
  const size_t in_features_;
  const PackedColumns columns_;
  const Activation activation_;
  PackedWeight weight_;
  // By column, up to the end of the last panel.
  AlignedBuffer<float> scales_;
  AlignedBuffer<float> weight_sums_;  // of its integers
  AlignedBuffer<float> bias_;
};

}  // namespace

std::unique_ptr<Linear> PackInt8Linear(ThreadTeam& team, DType output, const LinearWeights& weights,
                                       Activation activation, bool gated) {
  return std::make_unique<Int8Linear>(team, output, weights, activation, gated);
}

}  // namespace embedding
#endif  // HWY_ONCE
