#include "backends/cpu/sliced_linear.h"

#include <algorithm>
#include <cstdint>
#include <optional>

#include "backends/cpu/input_matrix.h"
#include "backends/cpu/panel_product.h"
#include "backends/cpu/parallel.h"
#include "backends/cpu/slices.h"
#include "base/aligned_buffer.h"

#undef HWY_TARGET_INCLUDE
#define HWY_TARGET_INCLUDE "backends/cpu/sliced_linear.cc"
#include "hwy/foreach_target.h"  // IWYU pragma: keep

#include "backends/cpu/tile_end-inl.h"
#include "hwy/highway.h"

HWY_BEFORE_NAMESPACE();
namespace embedding {
namespace HWY_NAMESPACE {
namespace hn = hwy::HWY_NAMESPACE;

// A product's numbers, as tile_end-inl.h asks for them.
class SlicedNumbers {
 public:
  HWY_INLINE SlicedNumbers(const TileEnd& end, size_t column)
      : scales_(hn::LoadU(D(), end.scales + column)),
        bias_(hn::LoadU(D(), end.columns.bias + column)),
        sums_(static_cast<const int32_t*>(end.sums) + column),
        next_sums_(end.next_sums),
        width_(end.columns.width),
        inputs_(end.inputs) {}

  HWY_INLINE hn::Vec<hn::ScalableTag<float>> operator()(size_t row) const {
    const D d;
    const hn::ScalableTag<int32_t> di;
    const auto sum = [&](size_t i) HWY_ATTR {
      return hn::ConvertTo(d, hn::Load(di, sums_ + row * width_ + i * next_sums_));
    };
    const auto lower = hn::MulAdd(sum(1), hn::Set(d, 256.0F), sum(2));
    const auto whole = hn::MulAdd(sum(0), hn::Set(d, 65536.0F), lower);
    // By the weight's scale first: an input's may be so large or small that the other order leaves
    // f32's range.
    return hn::MulAdd(hn::Mul(whole, scales_), hn::Set(d, inputs_[row].scale), bias_);
  }

 private:
  using D = hn::ScalableTag<float>;
  hn::Vec<D> scales_;
  hn::Vec<D> bias_;
  const int32_t* sums_;
  size_t next_sums_;
  size_t width_;
  const RowScale* inputs_;
};

TileEndFunctions SlicedEndFunctions(DType type, Activation activation, bool gated) {
  return EndFunctionsFor<SlicedNumbers, AmxDigits>(type, activation, gated);
}

}  // namespace HWY_NAMESPACE
}  // namespace embedding
HWY_AFTER_NAMESPACE();

#if HWY_ONCE
namespace embedding {

HWY_EXPORT(SlicedEndFunctions);

TileEndFunctions SlicedEnds(DType type, Activation activation, bool gated) {
  return HWY_DYNAMIC_DISPATCH(SlicedEndFunctions)(type, activation, gated);
}

namespace {

class SlicedLinear : public Linear {
 public:
  SlicedLinear(ThreadTeam& team, DType output, const LinearWeights& weights, Activation activation,
               bool gated)
      : team_(team),
        ends_(SlicedEnds(output, activation, gated)),
        kernel_(WithEnds(*F32SlicesKernel(weights.in_features), ends_)),
        in_features_(weights.in_features),
        columns_(kernel_.width, weights.out_features, gated),
        activation_(activation),
        sliced_(DType::kF32) {
    const size_t columns = columns_.size();
    scales_.Resize(columns);
    bias_.Resize(columns);
    AlignedBuffer<float> inverses(columns);
    ParallelFor(team, columns, [&](size_t column) {
      const std::optional<size_t> feature = columns_.feature(column);
      const SliceScale scale =
          feature ? SliceScaleOf(weights.weight.data() + *feature * in_features_, in_features_)
                  : SliceScale{};
      scales_[column] = scale.step * 65536;
      inverses[column] = scale.inverse;
      bias_[column] = feature && !weights.bias.empty() ? weights.bias[*feature] : 0.0F;
    });
    // To PackPanels a slice's digits are input features of their own, the third ones first.
    const size_t slice = kernel_.depth(in_features_) * kernel_.group;
    weight_ = PackPanels<uint8_t>(
        team, kernel_, kSlices * slice, columns,
        [&](size_t column, size_t first, size_t count, uint8_t* to) {
          const size_t place = kSlices - 1 - first / slice;
          const size_t begin = first % slice;
          if (inverses[column] == 0 || begin >= in_features_) return;
          uint8_t digits[kSlices * kDigitsAtOnce];
          const float* const from =
              weights.weight.data() + *columns_.feature(column) * in_features_ + begin;
          SliceRow(from, std::min(count, in_features_ - begin), inverses[column], count, {digits});
          std::copy_n(digits + place * count, count, to);
        });
  }

  void Run(const InputView& input, const OutputView& output, const RowEpilogue& epilogue) override {
    const InputView in_slices = InSlices(input);
    MultiplyPanels(team_, kernel_, weight_, in_slices,
                   {[&](size_t panel, size_t row, const void* sums, TileEnd& end) {
                      end = EndOf(panel, row, sums, in_slices.scales, output);
                    },
                    ends_.run},
                   epilogue);
  }

 private:
  // Most input features that PackPanels asks for at a time: 16 words.
  static constexpr size_t kDigitsAtOnce = 64;

  InputView InSlices(const InputView& input) {
    if (input.in_tiles) return input;
    sliced_.Resize(input.rows, in_features_);
    constexpr size_t kMinRows = 4;  // less is done sooner than another thread is woken
    ParallelRanges(team_, input.rows, kMinRows, [&](size_t begin, size_t end) {
      for (size_t row = begin; row < end; ++row) {
        const auto* const bytes = static_cast<const uint8_t*>(input.data) + row * input.stride;
        sliced_.Set(row, reinterpret_cast<const float*>(bytes));
      }
    });
    return sliced_.View(0, input.rows);
  }

  TileEnd EndOf(size_t panel, size_t row, const void* sums, const RowScale* inputs,
                const OutputView& output) const {
    const size_t column = panel * kernel_.width;
    return {.columns = columns_.of(panel, bias_.data() + column, activation_),
            .place = {output, row, panel * columns_.panel_outputs()},
            .sums = sums,
            .inputs = inputs + row,
            .scales = scales_.data() + column,
            .next_sums = kernel_.rows * kernel_.width};
  }

  ThreadTeam& team_;
  const TileEndFunctions ends_;
  const MicroKernel kernel_;
  const size_t in_features_;
  const PackedColumns columns_;
  const Activation activation_;
  PackedWeight weight_;
  // By column, up to the end of the last panel.
  AlignedBuffer<float> scales_;  // steps times 2^16
  AlignedBuffer<float> bias_;
  // Of the product that runs, where it is given numbers as they are.
  InputMatrix sliced_;
};

}  // namespace

std::unique_ptr<Linear> PackSlicedLinear(ThreadTeam& team, DType output,
                                         const LinearWeights& weights, Activation activation,
                                         bool gated) {
  return std::make_unique<SlicedLinear>(team, output, weights, activation, gated);
}

}  // namespace embedding
#endif  // HWY_ONCE
