// The input's rows are rounded to words of as many integers as the processor multiplies and sums
// into 32 bits in one step: four bytes where it has AVX512-VNNI, elsewhere two numbers of 16 bits.
//
// VNNI multiplies unsigned by signed bytes, which suits activations: they lie to one side of zero
// (GELU's are above -0.17), and 256 steps from the least to the largest are up to twice as fine as
// 127 to each side. What the shift by the row's zero adds to a sum is zero * (sum of the column's
// weights); it is taken off again.

#include "backends/cpu/int8_matmul.h"

#include <algorithm>
#include <cmath>
#include <cstdint>
#include <type_traits>

#include "backends/cpu/panel_product.h"
#include "backends/cpu/parallel.h"
#include "base/aligned_buffer.h"

#undef HWY_TARGET_INCLUDE
#define HWY_TARGET_INCLUDE "backends/cpu/int8_matmul.cc"
#include "hwy/foreach_target.h"  // IWYU pragma: keep

#include "backends/cpu/int8_kernels-inl.h"
#include "hwy/highway.h"

HWY_BEFORE_NAMESPACE();
namespace embedding {
namespace HWY_NAMESPACE {

void QuantizeF32(const float* x, size_t size, size_t group, QuantizedRow& row) {
  QuantizeGroups(x, size, group, row);
}
void QuantizeBf16(const BFloat16* x, size_t size, size_t group, QuantizedRow& row) {
  QuantizeGroups(x, size, group, row);
}

void FinishF32(const int32_t* sums, const QuantizedRow& row, const Int8Finish& finish, size_t width,
               size_t columns, float* out) {
  Finish(sums, row, finish, width, columns, out);
}
void FinishBf16(const int32_t* sums, const QuantizedRow& row, const Int8Finish& finish,
                size_t width, size_t columns, BFloat16* out) {
  Finish(sums, row, finish, width, columns, out);
}

}  // namespace HWY_NAMESPACE
}  // namespace embedding
HWY_AFTER_NAMESPACE();

#if HWY_ONCE
namespace embedding {

HWY_EXPORT(QuantizeF32);
HWY_EXPORT(QuantizeBf16);
HWY_EXPORT(FinishF32);
HWY_EXPORT(FinishBf16);

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
  const float step = largest / kLargest + total * 0.0F;  // as in Quantize
  return {step, std::isnormal(step) ? kLargest / largest : 0.0F};
}

template <typename In, typename Out>
class Int8MatMul : public MatMul<In, Out> {
 public:
  Int8MatMul(const LinearParameters& parameters, Activation activation)
      : kernel_(Int8Kernel()),
        in_features_(parameters.in_features),
        out_features_(parameters.out_features),
        gelu_(activation == Activation::kGelu) {
    const size_t columns = (out_features_ + kernel_.width - 1) / kernel_.width * kernel_.width;
    for (AlignedBuffer<float>* of_columns : {&scales_, &bias_}) {
      of_columns->Resize(columns);
      std::fill_n(of_columns->data(), columns, 0.0F);
    }
    weight_sums_.Resize(columns);
    std::fill_n(weight_sums_.data(), columns, 0);
    std::copy(parameters.bias.begin(), parameters.bias.end(), bias_.data());

    AlignedBuffer<float> inverses(out_features_);
    ParallelFor(out_features_, [&](size_t feature) {
      const auto weights = parameters.weight.subspan(feature * in_features_, in_features_);
      const ColumnScale scale = ScaleOf(weights);
      scales_[feature] = scale.step;
      inverses[feature] = scale.inverse;
    });
    weight_ = PackPanels<int8_t>(
        kernel_, in_features_, out_features_,
        [&](size_t feature, size_t first, size_t count, int8_t* to) {
          if (inverses[feature] == 0) return;
          const float* from = parameters.weight.data() + feature * in_features_ + first;
          for (size_t i = 0; i < count; ++i) {
            to[i] = static_cast<int8_t>(std::lrint(from[i] * inverses[feature]));
            weight_sums_[feature] += to[i];
          }
        });
  }

  void Run(MatrixView<const In> input, MatrixView<Out> output) override {
    constexpr size_t kWordBytes = 4;
    const size_t stride = weight_.depth * kWordBytes;
    // The caller's, for all its products: a buffer a weight would add up to 80 MB for bge-m3.
    thread_local AlignedBuffer<uint8_t> words_buffer;      // [rows][depth] words
    thread_local AlignedBuffer<QuantizedRow> rows_buffer;  // [rows]
    words_buffer.Resize(input.rows * stride);
    rows_buffer.Resize(input.rows);
    uint8_t* const words = words_buffer.data();
    QuantizedRow* const inputs = rows_buffer.data();
    constexpr size_t kMinRows = 4;
    ParallelRanges(input.rows, kMinRows, [&](size_t begin, size_t end) {
      for (size_t r = begin; r < end; ++r) {
        inputs[r].words = words + r * stride;
        inputs[r].bytes = stride;
        QuantizeRow(input.data + r * in_features_, inputs[r]);
      }
    });
    MultiplyPanels(
        kernel_, weight_, words, stride, input.rows,
        [&](size_t panel, size_t row, size_t rows, const uint8_t* sums) {
          const MatrixView<Out> of_tile = {output.data + row * out_features_, rows, out_features_};
          Finish(panel, inputs + row, reinterpret_cast<const int32_t*>(sums), of_tile);
        });
  }

 private:
  void QuantizeRow(const In* x, QuantizedRow& row) const {
    if constexpr (std::is_same_v<In, float>) {
      HWY_DYNAMIC_DISPATCH(QuantizeF32)(x, in_features_, kernel_.group, row);
    } else {
      HWY_DYNAMIC_DISPATCH(QuantizeBf16)(x, in_features_, kernel_.group, row);
    }
  }

  // The outputs of one panel for the rows of one tile.
  void Finish(size_t panel, const QuantizedRow* inputs, const int32_t* sums,
              MatrixView<Out> output) const {
    const size_t width = kernel_.width;
    const size_t first = panel * width;
    const size_t columns = std::min(width, out_features_ - first);
    const Int8Finish finish = {scales_.data() + first, weight_sums_.data() + first,
                               bias_.data() + first, gelu_};
    for (size_t r = 0; r < output.rows; ++r) {
      const int32_t* of_row = sums + r * width;
      Out* out = output.data + r * out_features_ + first;
      if constexpr (std::is_same_v<Out, float>) {
        HWY_DYNAMIC_DISPATCH(FinishF32)(of_row, inputs[r], finish, width, columns, out);
      } else {
        HWY_DYNAMIC_DISPATCH(FinishBf16)(of_row, inputs[r], finish, width, columns, out);
      }
    }
  }

  const PanelKernel kernel_;
  const size_t in_features_;
  const size_t out_features_;
  const bool gelu_;
  PackedWeight weight_;
  // By output feature, up to the end of the last panel.
  AlignedBuffer<float> scales_;
  AlignedBuffer<int32_t> weight_sums_;  // of its integers
  AlignedBuffer<float> bias_;
};

}  // namespace

template <typename In, typename Out>
std::unique_ptr<MatMul<In, Out>> PackInt8MatMul(const LinearParameters& parameters,
                                                Activation activation) {
  return std::make_unique<Int8MatMul<In, Out>>(parameters, activation);
}

template std::unique_ptr<MatMul<float, float>> PackInt8MatMul(const LinearParameters&, Activation);
template std::unique_ptr<MatMul<BFloat16, BFloat16>> PackInt8MatMul(const LinearParameters&,
                                                                    Activation);
template std::unique_ptr<MatMul<BFloat16, float>> PackInt8MatMul(const LinearParameters&,
                                                                 Activation);

}  // namespace embedding
#endif  // HWY_ONCE
