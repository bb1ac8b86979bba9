// f32 numbers in slices, for products of f32 by a processor that multiplies bytes many times as
// fast: a row's numbers are x = q * step, and q = d0 * 2^16 + d1 * 2^8 + d2 with signed bytes d. A
// product of such numbers is one of integers,
//   sum of x w = step_x * step_w * (S0 * 2^32 + S1 * 2^24 + S2 * 2^16),
//   S0 = sum of d0 e0, S1 = sum of d0 e1 + d1 e0, S2 = sum of d0 e2 + d1 e1 + d2 e0,
// but for the products of lower digits, which are of the size of what rounding to q leaves out, up
// to three times that where numbers are small beside their row's largest. After Ootomo, Ozaki and
// Yokota (2024), "DGEMM on Integer Matrix Multiplication Unit".
//
// So an error is in proportion to a row's largest number, where that of plain f32 is to each
// number: half of f32's own for rows of random numbers, 5 times it beside one that is 30 times as
// large and has a small weight, 50 times beside one that is 300 times as large.
//
// The sums are exact, so a row's result does not depend on its batch.
//
// Thread-safety: all functions.
#pragma once

#include <cstddef>
#include <cstdint>

namespace embedding {

struct RowBytes;  // of linear.h, whose functions must not come into files for one processor alone

inline constexpr size_t kSlices = 3;
// The largest q: 2^23 less what the lower digits' signs take.
inline constexpr int32_t kLargestSliced = 127 * 65536 + 127 * 256 + 127;
// Features up to which each of S fits 32 bits.
inline constexpr size_t kMostSlicedFeatures = INT32_MAX / (kSlices * 128 * 128);

struct SliceScale {
  float step;     // not finite where a number is not
  float inverse;  // 1 / step, or 0 where no number of steps tells the numbers: q is 0 then
};
// By the largest of x, [size]. Where that is below 1e-31 they count as 0.
SliceScale SliceScaleOf(const float* x, size_t size);

// Writes the first digits of x, [size], then from `slice_bytes` on the second ones, and then the
// third; 0 up to the end of each slice.
void SliceRow(const float* x, size_t size, float inverse, size_t slice_bytes,
              const RowBytes& digits);

}  // namespace embedding
