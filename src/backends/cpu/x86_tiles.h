// Kernels that multiply by AVX-512's dot products: of pairs of bf16 (AVX512-BF16), and of quads of
// an unsigned and a signed byte (AVX512-VNNI).
//
// In a file of their own, compiled for those instruction sets: Highway 1.0 has no targets for them.
#pragma once

#include "backends/cpu/panel_tile.h"

namespace embedding {

inline constexpr size_t kAvx512TileRows = 6;
inline constexpr size_t kAvx512TileWidth = 64;

// Whether this processor has the instructions that the function of the same name is made of.
bool HasBf16Pairs();
bool HasInt8Quads();

void MultiplyBf16Pairs(const PanelTile& tile);
// Rounds `size` f32 numbers, a multiple of 32, to bf16. For processors with HasBf16Pairs().
void RoundToBf16(const float* in, size_t size, uint16_t* out);
void MultiplyInt8Quads(const PanelTile& tile);

}  // namespace embedding
