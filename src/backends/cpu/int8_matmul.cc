// The weight is packed in panels, as in panel_matmul.cc, of 32-bit groups: the weights of one
// output feature for as many consecutive input features as the processor multiplies and sums into
// 32 bits in one step. That is four where it has AVX512-VNNI, and two elsewhere: bytes widened to
// 16 bits, multiplied and added in pairs (AVX2's multiply-add of pairs of bytes saturates at 16
// bits). A panel needs no blocks of features: of 32 columns of 4,096 bytes it stays in the L2
// cache, from which the kernel takes 8 bytes a cycle.
//
// VNNI multiplies unsigned by signed bytes, which suits activations: they lie to one side of zero
// (GELU's are above -0.17), and 256 steps from the least to the largest are up to twice as fine as
// 127 to each side. What the shift by the row's zero adds to a sum is zero * (sum of the column's
// weights); it is taken off again.
//
// The kernel leaves its sums in a tile that stays in the L1 cache; scales, bias and GELU are
// applied to it there, so no matrix of sums exists.

#include "backends/cpu/int8_matmul.h"

#include <algorithm>
#include <cmath>
#include <cstdint>
#include <type_traits>

#include "backends/cpu/parallel.h"
#include "backends/cpu/vnni_product.h"
#include "base/aligned_buffer.h"

#undef HWY_TARGET_INCLUDE
#define HWY_TARGET_INCLUDE "backends/cpu/int8_matmul.cc"
#include "hwy/foreach_target.h"  // IWYU pragma: keep

#include "backends/cpu/int8_kernels-inl.h"
#include "hwy/highway.h"

HWY_BEFORE_NAMESPACE();
namespace embedding {
namespace HWY_NAMESPACE {

size_t PairPanel() { return 2 * hn::Lanes(DI()); }
size_t PairRows() { return kPairRows; }

void PairProduct(const uint32_t* left, size_t left_stride, size_t rows, size_t depth,
                 const uint8_t* panel, int32_t* sums) {
  switch (rows) {
    case 1:
      return MultiplyPairs<1>(left, left_stride, depth, panel, sums);
    case 2:
      return MultiplyPairs<2>(left, left_stride, depth, panel, sums);
    case 3:
      return MultiplyPairs<3>(left, left_stride, depth, panel, sums);
    case 4:
      return MultiplyPairs<4>(left, left_stride, depth, panel, sums);
    case 5:
      return MultiplyPairs<5>(left, left_stride, depth, panel, sums);
    default:
      return MultiplyPairs<kPairRows>(left, left_stride, depth, panel, sums);
  }
}

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

HWY_EXPORT(PairPanel);
HWY_EXPORT(PairRows);
HWY_EXPORT(PairProduct);
HWY_EXPORT(QuantizeF32);
HWY_EXPORT(QuantizeBf16);
HWY_EXPORT(FinishF32);
HWY_EXPORT(FinishBf16);

namespace {

struct Kernel {
  size_t group;  // integers in a 32-bit word
  size_t width;  // columns of a panel
  size_t rows;   // at most, of a tile
  void (*multiply)(const uint32_t* left, size_t left_stride, size_t rows, size_t depth,
                   const uint8_t* panel, int32_t* sums);
};
constexpr size_t kMaxTile = kVnniRows * 32;  // of either kernel

void PortableProduct(const uint32_t* left, size_t left_stride, size_t rows, size_t depth,
                     const uint8_t* panel, int32_t* sums) {
  HWY_DYNAMIC_DISPATCH(PairProduct)(left, left_stride, rows, depth, panel, sums);
}

Kernel ChooseKernel() {
  // Highway says whether AVX-512 may be used at all.
  const bool avx512 = HWY_ARCH_X86 && (hwy::SupportedTargets() & HWY_AVX3) != 0;
  if (avx512 && HasAvx512Vnni()) return {4, kVnniPanel, kVnniRows, VnniProduct};
  return {2, HWY_DYNAMIC_DISPATCH(PairPanel)(), HWY_DYNAMIC_DISPATCH(PairRows)(), PortableProduct};
}

template <typename In, typename Out>
class Int8MatMul : public MatMul<In, Out> {
 public:
  Int8MatMul(const LinearParameters& parameters, Activation activation)
      : kernel_(ChooseKernel()),
        in_features_(parameters.in_features),
        out_features_(parameters.out_features),
        gelu_(activation == Activation::kGelu),
        depth_((in_features_ + kernel_.group - 1) / kernel_.group),
        panel_count_((out_features_ + kernel_.width - 1) / kernel_.width),
        panels_(panel_count_ * depth_ * kernel_.width * kernel_.group),
        scales_(panel_count_ * kernel_.width),
        weight_sums_(panel_count_ * kernel_.width),
        bias_(panel_count_ * kernel_.width) {
    std::fill_n(bias_.data(), bias_.size(), 0.0F);
    std::copy(parameters.bias.begin(), parameters.bias.end(), bias_.data());
    ParallelFor(panel_count_, [&](size_t panel) { Pack(parameters.weight, panel); });
  }

  void Run(MatrixView<const In> input, MatrixView<Out> output) override {
    words_.Resize(input.rows * depth_);
    rows_.Resize(input.rows);
    constexpr size_t kRowsPerTask = 8;
    ParallelRanges(input.rows, kRowsPerTask, [&](size_t begin, size_t end) {
      for (size_t r = begin; r < end; ++r) {
        rows_.data()[r].words = words_.data() + r * depth_;
        QuantizeRow(input.data + r * in_features_, rows_.data()[r]);
      }
    });
    ParallelFor(panel_count_, [&](size_t panel) { RunPanel(panel, output); });
  }

 private:
  void Pack(std::span<const float> weight, size_t panel);
  void RunPanel(size_t panel, MatrixView<Out> output) const;

  void QuantizeRow(const In* x, QuantizedRow& row) const {
    if constexpr (std::is_same_v<In, float>) {
      HWY_DYNAMIC_DISPATCH(QuantizeF32)(x, in_features_, kernel_.group, row);
    } else {
      HWY_DYNAMIC_DISPATCH(QuantizeBf16)(x, in_features_, kernel_.group, row);
    }
  }
  void FinishRow(const int32_t* sums, const QuantizedRow& row, const Int8Finish& finish,
                 size_t columns, Out* out) const {
    if constexpr (std::is_same_v<Out, float>) {
      HWY_DYNAMIC_DISPATCH(FinishF32)(sums, row, finish, kernel_.width, columns, out);
    } else {
      HWY_DYNAMIC_DISPATCH(FinishBf16)(sums, row, finish, kernel_.width, columns, out);
    }
  }

  const Kernel kernel_;
  const size_t in_features_;
  const size_t out_features_;
  const bool gelu_;
  const size_t depth_;  // words of an input row
  const size_t panel_count_;
  AlignedBuffer<uint8_t> panels_;       // [panel_count][depth][width][group]
  AlignedBuffer<float> scales_;         // [panel_count * width]
  AlignedBuffer<int32_t> weight_sums_;  // [panel_count * width]
  AlignedBuffer<float> bias_;           // [panel_count * width]
  // Of the product that runs.
  AlignedBuffer<uint32_t> words_;     // [rows][depth]
  AlignedBuffer<QuantizedRow> rows_;  // [rows]
};

template <typename In, typename Out>
void Int8MatMul<In, Out>::Pack(std::span<const float> weight, size_t panel) {
  uint8_t* bytes = panels_.data() + panel * depth_ * kernel_.width * kernel_.group;
  for (size_t c = 0; c < kernel_.width; ++c) {
    const size_t feature = panel * kernel_.width + c;
    const bool exists = feature < out_features_;
    const float* row = weight.data() + (exists ? feature : 0) * in_features_;
    float largest = 0;
    float total = 0;
    for (size_t i = 0; exists && i < in_features_; ++i) {
      largest = std::max(largest, std::abs(row[i]));
      total += row[i];
    }
    constexpr float kLargest = 127;
    const float scale = largest / kLargest + total * 0.0F;  // as in Quantize
    scales_.data()[feature] = scale;
    const float inverse = largest > 0 ? kLargest / largest : 0.0F;
    int32_t sum = 0;
    const bool rounds = exists && std::isfinite(scale);
    for (size_t i = 0; i < depth_ * kernel_.group; ++i) {
      const int32_t q =
          rounds && i < in_features_ ? static_cast<int32_t>(std::lrint(row[i] * inverse)) : 0;
      bytes[(i / kernel_.group * kernel_.width + c) * kernel_.group + i % kernel_.group] =
          static_cast<uint8_t>(q);
      sum += q;
    }
    weight_sums_.data()[feature] = sum;
  }
}

template <typename In, typename Out>
void Int8MatMul<In, Out>::RunPanel(size_t panel, MatrixView<Out> output) const {
  const size_t column = panel * kernel_.width;
  const size_t columns = std::min(kernel_.width, out_features_ - column);
  const Int8Finish finish = {scales_.data() + column, weight_sums_.data() + column,
                             bias_.data() + column, gelu_};
  const uint8_t* weights = panels_.data() + panel * depth_ * kernel_.width * kernel_.group;
  // Groups of nearly the same size: a small last group would leave the multipliers idle.
  const size_t groups = (output.rows + kernel_.rows - 1) / kernel_.rows;
  alignas(64) int32_t sums[kMaxTile];
  for (size_t group = 0; group < groups; ++group) {
    const size_t first = output.rows * group / groups;
    const size_t rows = output.rows * (group + 1) / groups - first;
    kernel_.multiply(words_.data() + first * depth_, depth_, rows, depth_, weights, sums);
    for (size_t r = 0; r < rows; ++r) {
      FinishRow(sums + r * kernel_.width, rows_.data()[first + r], finish, columns,
                output.data + (first + r) * out_features_ + column);
    }
  }
}

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
