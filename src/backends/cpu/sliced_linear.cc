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

#ifndef EMBEDDING_SLICED_LINEAR_TYPES
#define EMBEDDING_SLICED_LINEAR_TYPES
namespace embedding {

// What turns a tile's sums into outputs, for the columns of one panel.
struct SlicedEpilogue {
  TileColumns columns;
  const RowScale* rows;  // of the tile's rows
  const float* scales;   // [width], of the weight, times 2^16
  size_t next_sums;      // numbers from S0 to S1, and from S1 to S2
};

}  // namespace embedding
#endif

HWY_BEFORE_NAMESPACE();
namespace embedding {
namespace HWY_NAMESPACE {
namespace hn = hwy::HWY_NAMESPACE;

template <typename T>
HWY_INLINE void Finish(const int32_t* HWY_RESTRICT sums, size_t rows,
                       const SlicedEpilogue& epilogue, const TilePlace& place) {
  const hn::ScalableTag<float> d;
  const hn::ScalableTag<int32_t> di;
  const size_t width = epilogue.columns.width;
  const size_t next_sums = epilogue.next_sums;
  const RowScale* const inputs = epilogue.rows;
  StoreTile<T>(epilogue.columns, rows, place, [&](size_t c) HWY_ATTR {
    const auto scales = hn::LoadU(d, epilogue.scales + c);
    const auto bias = hn::LoadU(d, epilogue.columns.bias + c);
    const int32_t* const of_columns = sums + c;
    return [=](size_t row) HWY_ATTR {
      const auto sum = [&](size_t i) HWY_ATTR {
        return hn::ConvertTo(d, hn::Load(di, of_columns + row * width + i * next_sums));
      };
      const auto lower = hn::MulAdd(sum(1), hn::Set(d, 256.0F), sum(2));
      const auto whole = hn::MulAdd(sum(0), hn::Set(d, 65536.0F), lower);
      // By the weight's scale first: an input's may be so large or small that the other order
      // leaves f32's range.
      return hn::MulAdd(hn::Mul(whole, scales), hn::Set(d, inputs[row].scale), bias);
    };
  });
}

void FinishF32(const int32_t* sums, size_t rows, const SlicedEpilogue& epilogue,
               const TilePlace& place) {
  Finish<float>(sums, rows, epilogue, place);
}
void FinishBf16(const int32_t* sums, size_t rows, const SlicedEpilogue& epilogue,
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

class SlicedLinear : public Linear {
 public:
  SlicedLinear(ThreadTeam& team, DType output, const LinearWeights& weights, Activation activation,
               bool gated)
      : team_(team),
        kernel_(*F32SlicesKernel(weights.in_features)),
        output_(output),
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
    MultiplyPanels(
        team_, kernel_, weight_, in_slices,
        [&](size_t panel, size_t row, size_t rows, const uint8_t* sums) {
          TakeTile(panel, row, rows, in_slices.scales, reinterpret_cast<const int32_t*>(sums),
                   output);
        },
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

  // The epilogue of a tile: the outputs of one panel for some rows.
  void TakeTile(size_t panel, size_t row, size_t rows, const RowScale* inputs, const int32_t* sums,
                const OutputView& output) const {
    const size_t column = panel * kernel_.width;
    const SlicedEpilogue epilogue = {columns_.of(panel, bias_.data() + column, activation_),
                                     inputs + row, scales_.data() + column,
                                     kernel_.rows * kernel_.width};
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
