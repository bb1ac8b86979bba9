#include "backends/cpu/slices.h"

#include <algorithm>
#include <cmath>

#undef HWY_TARGET_INCLUDE
#define HWY_TARGET_INCLUDE "backends/cpu/slices.cc"
#include "hwy/foreach_target.h"  // IWYU pragma: keep

#include "backends/cpu/linear.h"
#include "hwy/highway.h"

HWY_BEFORE_NAMESPACE();
namespace embedding {
namespace HWY_NAMESPACE {
namespace hn = hwy::HWY_NAMESPACE;

SliceScale ScaleOf(const float* HWY_RESTRICT x, size_t size) {
  const hn::ScalableTag<float> d;
  const size_t lanes = hn::Lanes(d);
  auto largest_v = hn::Zero(d);
  auto total_v = hn::Zero(d);
  size_t i = 0;
  for (; i + lanes <= size; i += lanes) {
    const auto v = hn::LoadU(d, x + i);
    largest_v = hn::Max(largest_v, hn::Abs(v));
    total_v = hn::Add(total_v, hn::Mul(v, hn::Zero(d)));
  }
  float largest = hn::GetLane(hn::MaxOfLanes(d, largest_v));
  float total = hn::GetLane(hn::SumOfLanes(d, total_v));  // 0, or not finite if any number is not
  for (; i < size; ++i) {
    largest = std::max(largest, std::abs(x[i]));
    total += x[i] * 0.0F;
  }
  constexpr auto kLargest = static_cast<float>(kLargestSliced);
  const float step = largest / kLargest + total;
  return {step, std::isnormal(step) ? kLargest / largest : 0.0F};
}

void Slice(const float* HWY_RESTRICT x, size_t size, float inverse, size_t slice_bytes,
           const RowBytes& row) {
  const RowBytes digits = row;  // whose fields no store changes
  const hn::ScalableTag<float> d;
  const hn::ScalableTag<int32_t> di;
  const hn::Rebind<uint8_t, decltype(d)> d8;
  const hn::RebindToUnsigned<decltype(di)> du;
  const size_t lanes = hn::Lanes(d);
  const auto inverse_v = hn::Set(d, inverse);
  const auto most = hn::Set(di, kLargestSliced);  // exceeded by 1 where the inverse is rounded up
  const auto least = hn::Set(di, -kLargestSliced);
  // With half of what a digit counts to in it, a digit that is taken as unsigned is the signed one
  // and that half.
  const auto half_digits = hn::Set(di, 0x808080);
  const auto to_signed = hn::Set(d8, uint8_t{0x80});
  size_t i = 0;
  for (; i + lanes <= size; i += lanes) {
    const auto rounded = hn::NearestInt(hn::Mul(hn::LoadU(d, x + i), inverse_v));
    const auto q = hn::Max(least, hn::Min(rounded, most));
    const auto shifted = hn::BitCast(du, hn::Add(q, half_digits));
    const auto store = [&](hn::Vec<decltype(du)> v, size_t place) HWY_ATTR {
      hn::StoreU(hn::Xor(hn::TruncateTo(d8, v), to_signed), d8, digits.At(place * slice_bytes + i));
    };
    store(hn::ShiftRight<16>(shifted), 0);
    store(hn::ShiftRight<8>(shifted), 1);
    store(shifted, 2);
  }
  for (size_t place = 0; place < kSlices; ++place) {
    digits.Clear(place * slice_bytes + i, (place + 1) * slice_bytes);
  }
  for (; i < size; ++i) {
    const auto rounded = static_cast<int32_t>(std::lrint(x[i] * inverse));
    const int32_t q = std::clamp(rounded, -kLargestSliced, kLargestSliced);
    const auto shifted = static_cast<uint32_t>(q + 0x808080);
    for (size_t place = 0; place < kSlices; ++place) {
      *digits.At(place * slice_bytes + i) =
          static_cast<uint8_t>(shifted >> (8 * (kSlices - 1 - place)) ^ 0x80);
    }
  }
}

}  // namespace HWY_NAMESPACE
}  // namespace embedding
HWY_AFTER_NAMESPACE();

#if HWY_ONCE
namespace embedding {

HWY_EXPORT(ScaleOf);
HWY_EXPORT(Slice);

SliceScale SliceScaleOf(const float* x, size_t size) {
  return HWY_DYNAMIC_DISPATCH(ScaleOf)(x, size);
}

void SliceRow(const float* x, size_t size, float inverse, size_t slice_bytes,
              const RowBytes& digits) {
  HWY_DYNAMIC_DISPATCH(Slice)(x, size, inverse, slice_bytes, digits);
}

}  // namespace embedding
#endif  // HWY_ONCE
