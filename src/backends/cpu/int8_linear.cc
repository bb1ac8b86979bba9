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

HWY_BEFORE_NAMESPACE();
namespace embedding {
namespace HWY_NAMESPACE {
namespace hn = hwy::HWY_NAMESPACE;

// A product's numbers, as tile_end-inl.h asks for them.
class Int8Numbers {
 public:
  HWY_INLINE Int8Numbers(const TileEnd& end, size_t column)
      : weight_sums_(hn::LoadU(D(), end.weight_sums + column)),
        scales_(hn::LoadU(D(), end.scales + column)),
        bias_(hn::LoadU(D(), end.columns.bias + column)),
        sums_(static_cast<const int32_t*>(end.sums) + column),
        width_(end.columns.width),
        inputs_(end.inputs) {}

  HWY_INLINE hn::Vec<hn::ScalableTag<float>> operator()(size_t row) const {
    const D d;
    const hn::ScalableTag<int32_t> di;
    // In f32: what that rounds is far below what rounding to integers has left out.
    const auto zero = hn::ConvertTo(d, hn::Set(di, inputs_[row].zero));
    const auto shifted = hn::ConvertTo(d, hn::Load(di, sums_ + row * width_));
    const auto sum = hn::NegMulAdd(zero, weight_sums_, shifted);
    return hn::MulAdd(sum, hn::Mul(hn::Set(d, inputs_[row].scale), scales_), bias_);
  }

 private:
  using D = hn::ScalableTag<float>;
  hn::Vec<D> weight_sums_;
  hn::Vec<D> scales_;
  hn::Vec<D> bias_;
  const int32_t* sums_;
  size_t width_;
  const RowScale* inputs_;
};

TileEndFunctions Int8EndFunctions(DType type, Activation activation, bool gated) {
  return EndFunctionsFor<Int8Numbers, AmxInt8>(type, activation, gated);
}

}  // namespace HWY_NAMESPACE
}  // namespace embedding
HWY_AFTER_NAMESPACE();

#if HWY_ONCE
namespace embedding {

HWY_EXPORT(Int8EndFunctions);

TileEndFunctions Int8Ends(DType type, Activation activation, bool gated) {
  return HWY_DYNAMIC_DISPATCH(Int8EndFunctions)(type, activation, gated);
}

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
        ends_(Int8Ends(output, activation, gated)),
        kernel_(WithEnds(Int8Kernel(), ends_)),
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
    MultiplyPanels(team_, kernel_, weight_, input,
                   {[&](size_t panel, size_t row, const void* sums, TileEnd& end) {
                      end = EndOf(panel, row, sums, input.scales, output);
                    },
                    ends_.run},
                   epilogue);
  }

 private:
  TileEnd EndOf(size_t panel, size_t row, const void* sums, const RowScale* inputs,
                const OutputView& output) const {
    const size_t column = panel * kernel_.width;
    return {.columns = columns_.of(panel, bias_.data() + column, activation_),
            .place = {output, row, panel * columns_.panel_outputs()},
            .sums = sums,
            .inputs = inputs + row,
            .scales = scales_.data() + column,
            .weight_sums = weight_sums_.data() + column};
  }

  ThreadTeam& team_;
  const TileEndFunctions ends_;
  const MicroKernel kernel_;
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
