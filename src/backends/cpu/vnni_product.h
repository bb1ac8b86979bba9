// The inner loop of int8_matmul.cc by AVX512-VNNI's dot product of four pairs of bytes.
//
// In a file of its own, compiled for that instruction set alone: Highway 1.0 has no target for it.
#pragma once

#include <cstddef>
#include <cstdint>

namespace embedding {

inline constexpr size_t kVnniRows = 8;
inline constexpr size_t kVnniPanel = 32;  // two vectors of 16

// Whether this processor has the instructions that VnniProduct is made of.
bool HasAvx512Vnni();

// sums[r][c] of `rows` <= kVnniRows rows and kVnniPanel columns = sum over i < depth of the dot
// product of left[r * left_stride + i], four unsigned bytes, and right[4 * (i * kVnniPanel + c)],
// four signed bytes. `right` and `sums` are aligned to 64 bytes.
void VnniProduct(const uint32_t* left, size_t left_stride, size_t rows, size_t depth,
                 const uint8_t* right, int32_t* sums);

}  // namespace embedding
