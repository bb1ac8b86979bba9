// A row is rounded to words of as many integers as the processor multiplies and sums into 32 bits
// in one step: four bytes where it has AMX, VNNI or Arm's dot products, eight with Arm's products
// of matrices, elsewhere two numbers of 16 bits.
//
// VNNI multiplies unsigned by signed bytes, which suits activations: they lie to one side of zero
// (GELU's are above -0.17), and 256 steps from the least to the largest are up to twice as fine as
// 127 to each side. Arm multiplies signed by signed bytes: there all are less by 128, the zero too,
// so that the differences are the same.

#include "backends/cpu/input_matrix.h"

#include <algorithm>
#include <cassert>
#include <cmath>
#include <cstdint>
#include <cstring>
#include <limits>
#include <optional>

#include "backends/cpu/micro_kernels.h"
#include "backends/cpu/slices.h"

#undef HWY_TARGET_INCLUDE
#define HWY_TARGET_INCLUDE "backends/cpu/input_matrix.cc"
#include "hwy/foreach_target.h"  // IWYU pragma: keep

#include "backends/cpu/elementwise-inl.h"
#include "hwy/highway.h"

HWY_BEFORE_NAMESPACE();
namespace embedding {
namespace HWY_NAMESPACE {
namespace hn = hwy::HWY_NAMESPACE;

void RoundRow(const float* HWY_RESTRICT x, size_t size, const RowBytes& row) {
  const auto out = [to = row](size_t i) {
    return reinterpret_cast<BFloat16*>(to.At(i * sizeof(BFloat16)));
  };
  const hn::ScalableTag<float> d;
  const size_t lanes = hn::Lanes(d);
  size_t i = 0;
  for (; i + lanes <= size; i += lanes) StoreFromF32(d, hn::LoadU(d, x + i), out(i));
  for (; i < size; ++i) *out(i) = BFloat16(x[i]);
}

// The q of x, [size], less `shift`.
template <typename Integer, typename T>
HWY_INLINE RowScale Quantize(const T* HWY_RESTRICT x, size_t size, int32_t shift,
                             const RowBytes& row) {
  const auto q = [to = row](size_t k) {
    return reinterpret_cast<Integer*>(to.At(k * sizeof(Integer)));
  };
  constexpr int32_t kLargest = 255;
  const hn::ScalableTag<float> d;
  const hn::ScalableTag<int32_t> di;
  const hn::Rebind<Integer, hn::ScalableTag<float>> narrow;
  const size_t lanes = hn::Lanes(d);
  // 0 is among the numbers, so that it is one of the integers too.
  auto least_v = hn::Zero(d);
  auto most_v = hn::Zero(d);
  auto total_v = hn::Zero(d);
  size_t i = 0;
  for (; i + lanes <= size; i += lanes) {
    const auto v = LoadAsF32(d, x + i);
    least_v = hn::Min(least_v, v);
    most_v = hn::Max(most_v, v);
    total_v = hn::Add(total_v, v);
  }
  float least = hn::GetLane(hn::MinOfLanes(d, least_v));
  float most = hn::GetLane(hn::MaxOfLanes(d, most_v));
  float total = hn::GetLane(hn::SumOfLanes(d, total_v));
  for (size_t k = i; k < size; ++k) {
    const auto v = static_cast<float>(x[k]);
    least = std::min(least, v);
    most = std::max(most, v);
    total += v;
  }
  // The sum, unlike least and most, is not finite if any number is not.
  const float scale = (most / kLargest - least / kLargest) + total * 0.0F;
  if (!std::isfinite(scale)) {  // no number fits an integer; the scale makes the outputs NaN
    row.Clear(0, size * sizeof(Integer));
    return {scale, 0};
  }
  // A row of zeros, or of numbers too small to divide by.
  const float inverse = scale >= std::numeric_limits<float>::min() ? 1 / scale : 0.0F;
  const auto zero = static_cast<int32_t>(std::lrint(-least * inverse)) - shift;
  const int32_t largest = kLargest - shift;  // exceeded by 1 where both ends round up
  const auto inverse_v = hn::Set(d, inverse);
  const auto zero_v = hn::Set(di, zero);
  const auto largest_v = hn::Set(di, largest);
  i = 0;
  for (; i + lanes <= size; i += lanes) {
    const auto rounded = hn::NearestInt(hn::Mul(LoadAsF32(d, x + i), inverse_v));
    const auto shifted = hn::Min(hn::Add(rounded, zero_v), largest_v);
    hn::StoreU(hn::DemoteTo(narrow, shifted), narrow, q(i));
  }
  for (; i < size; ++i) {
    const auto rounded = static_cast<int32_t>(std::lrint(static_cast<float>(x[i]) * inverse));
    *q(i) = static_cast<Integer>(std::min(rounded + zero, largest));
  }
  return {scale, zero};
}

// As the kernel takes them: signed bytes where it shifts, unsigned ones where it does not, or
// numbers of 16 bits.
template <typename T>
HWY_INLINE RowScale QuantizeAs(const T* x, size_t size, size_t integer_bytes, int32_t shift,
                               const RowBytes& words) {
  if (integer_bytes == sizeof(int16_t)) return Quantize<int16_t>(x, size, shift, words);
  return shift == 0 ? Quantize<uint8_t>(x, size, shift, words)
                    : Quantize<int8_t>(x, size, shift, words);
}

RowScale QuantizeF32(const float* x, size_t size, size_t integer_bytes, int32_t shift,
                     const RowBytes& words) {
  return QuantizeAs(x, size, integer_bytes, shift, words);
}
RowScale QuantizeBf16(const BFloat16* x, size_t size, size_t integer_bytes, int32_t shift,
                      const RowBytes& words) {
  return QuantizeAs(x, size, integer_bytes, shift, words);
}

}  // namespace HWY_NAMESPACE
}  // namespace embedding
HWY_AFTER_NAMESPACE();

#if HWY_ONCE
namespace embedding {

HWY_EXPORT(RoundRow);
HWY_EXPORT(QuantizeF32);
HWY_EXPORT(QuantizeBf16);

namespace {

// What multiplies inputs by such a weight in a form of its own, if anything does.
std::optional<MicroKernel> ArrangingKernel(DType weight, size_t columns) {
  if (weight == DType::kI8) return Int8Kernel();
  if (weight == DType::kF32) return F32SlicesKernel(columns);
  if (weight != DType::kBF16) return std::nullopt;
  const std::optional<MicroKernel> kernel = Bf16Kernel();
  return kernel && kernel->tiles ? kernel : std::nullopt;
}

}  // namespace

bool InputMatrix::Arranges(DType weight, size_t columns) {
  return ArrangingKernel(weight, columns).has_value();
}

void InputMatrix::Resize(size_t rows, size_t columns) {
  columns_ = columns;
  in_tiles_ = false;
  slice_bytes_ = 0;
  if (const std::optional<MicroKernel> kernel = ArrangingKernel(weight_, columns)) {
    stride_ = kernel->depth(columns) * kernel->word_bytes;
    if (type_ == DType::kF32) {
      slice_bytes_ = stride_;
      stride_ *= kSlices;
    }
    integer_bytes_ = kernel->word_bytes / kernel->group;
    shift_ = kernel->left_shift;
    in_tiles_ = kernel->tiles;
  } else {
    stride_ = columns * DTypeBytes(type_);
  }
  const size_t number_bytes = type_ == DType::kI8 ? integer_bytes_ : DTypeBytes(type_);
  behind_ = slice_bytes_ > 0 ? 0 : stride_ - columns * number_bytes;  // SliceRow ends its slices
  if (has_scales()) scales_.Resize(rows);
  bytes_.Resize((in_tiles_ ? (rows + kTileRows - 1) / kTileRows * kTileRows : rows) * stride_);
}

RowBytes InputMatrix::Row(size_t row) {
  const RowBytes bytes =
      in_tiles_ ? RowBytes{bytes_.data() + PlaceInTiles(row, 0, stride_), kTileRows * kTileRowBytes}
                : RowBytes{bytes_.data() + row * stride_};
  bytes.Clear(stride_ - behind_, stride_);
  return bytes;
}

void InputMatrix::Set(size_t row, const float* x) {
  const RowBytes to = Row(row);
  switch (type_) {
    case DType::kI8:
      scales_[row] = HWY_DYNAMIC_DISPATCH(QuantizeF32)(x, columns_, integer_bytes_, shift_, to);
      break;
    case DType::kBF16:
      HWY_DYNAMIC_DISPATCH(RoundRow)(x, columns_, to);
      break;
    default:
      if (slice_bytes_ == 0) {
        std::copy_n(x, columns_, reinterpret_cast<float*>(to.first));
        break;
      }
      const SliceScale scale = SliceScaleOf(x, columns_);
      SliceRow(x, columns_, scale.inverse, slice_bytes_, to);
      scales_[row] = {scale.step, 0};
  }
}

void InputMatrix::Set(size_t row, const BFloat16* x) {
  assert(type_ != DType::kF32);
  const RowBytes to = Row(row);
  if (type_ == DType::kI8) {
    scales_[row] = HWY_DYNAMIC_DISPATCH(QuantizeBf16)(x, columns_, integer_bytes_, shift_, to);
    return;
  }
  constexpr size_t kPiece = kTileRowBytes / sizeof(BFloat16);
  for (size_t i = 0; i < columns_; i += kPiece) {
    std::memcpy(to.At(i * sizeof(BFloat16)), x + i,
                std::min(kPiece, columns_ - i) * sizeof(BFloat16));
  }
}

void Handover::Resize(size_t rows, size_t columns) {
  columns_ = columns;
  const size_t row_bytes = columns * DTypeBytes(written_type_);
  const bool is_of_type = written_type_ == LinearTypes{weight_}.input();
  if (is_of_type && !InputMatrix::Arranges(weight_, columns)) {
    way_ = Way::kAsTheyAre;
  } else if (is_of_type && written_type_ == DType::kBF16 && writer_ == Writer::kProduct &&
             row_bytes % kTileRowBytes == 0) {
    way_ = Way::kInTiles;
  } else {
    way_ = Way::kArranged;
  }
  if (way_ != Way::kInTiles) written_.Resize(rows * row_bytes);
  if (way_ != Way::kAsTheyAre) taken_.Resize(rows, columns);
}

RowEpilogue Handover::Epilogue() {
  if (way_ != Way::kArranged) return {};
  return [this](size_t begin, size_t end) {
    for (size_t row = begin; row < end; ++row) {
      const size_t first = row * columns_;
      if (written_type_ == DType::kF32) {
        taken_.Set(row, static_cast<const float*>(data()) + first);
      } else {
        taken_.Set(row, static_cast<const BFloat16*>(data()) + first);
      }
    }
  };
}

}  // namespace embedding
#endif  // HWY_ONCE
