// Kernels that multiply by dot products of x86-64's processors (cpu_extensions.h): of pairs of
// bf16, and of quads of an unsigned and a signed byte. As micro_kernels.h describes them.
//
// Each extension's are in a file of its own, compiled for it: Highway 1.0 has no targets for them.
// They are there on x86-64 alone.
#pragma once

#include "backends/cpu/panel_tile.h"

namespace embedding {

inline constexpr size_t kAvx512TileRows = 6;
inline constexpr size_t kAvx512TileWidth = 64;
inline constexpr size_t kAvxVnniTileRows = 6;
inline constexpr size_t kAvxVnniTileWidth = 16;

void MultiplyBf16Pairs(const PanelTile& tile);           // with kX86Avx512Bf16
void MultiplyInt8Quads(const PanelTile& tile);           // with kX86Avx512Vnni
void MultiplyInt8QuadsByAvxVnni(const PanelTile& tile);  // with kX86AvxVnni
// Rounds `size` f32 numbers, a multiple of 32, to bf16. With kX86Avx512Bf16.
void RoundToBf16ByAvx512(const float* in, size_t size, uint16_t* out);

}  // namespace embedding
