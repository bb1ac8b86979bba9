// The outer-product kernel of attention on pairs of bf16, by AVX512-BF16's dot product of pairs.
//
// In a file of its own, compiled for that instruction set alone: Highway 1.0 has no target for it.
#pragma once

#include <cstddef>
#include <cstdint>

namespace embedding {

inline constexpr size_t kBf16Rows = 8;
inline constexpr size_t kBf16Panel = 32;  // two vectors of 16

// Whether this processor has the instructions that the two functions below are made of.
bool HasAvx512Bf16();

// out[r, 0 .. kBf16Panel) of kBf16Rows rows = (accumulate ? out : 0) + sum over i < depth of
// left[r][i] * right[i, 0 .. kBf16Panel), where an element is a pair of bf16 and a product of pairs
// is the sum of their two products.
void Bf16OuterProduct(const uint32_t* const* left, size_t depth, const uint32_t* right,
                      size_t right_stride, float* out, size_t out_stride, bool accumulate);

// Rounds `size` f32 numbers, a multiple of 32, to bf16.
void RoundToBf16(const float* in, size_t size, uint16_t* out);

}  // namespace embedding
