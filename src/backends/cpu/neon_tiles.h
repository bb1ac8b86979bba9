// Kernels that multiply by what Arm's processors have beside NEON (cpu_extensions.h), where they
// have it: as micro_kernels.h describes them, with int8 inputs from -128 to 127.
//
// Each extension's are in a file of its own, compiled for it: Highway 1.0 has no targets for them.
// They are there on Arm's 64 bits alone.
#pragma once

#include "backends/cpu/panel_tile.h"

namespace embedding {

// Words of 32 bits.
inline constexpr size_t kNeonDotRows = 6;
inline constexpr size_t kNeonDotWidth = 16;
// Words of 64 bits.
inline constexpr size_t kNeonMatrixRows = 8;
inline constexpr size_t kNeonMatrixWidth = 12;

void MultiplyInt8Dotprod(const PanelTile& tile);  // 4 bytes a word, with kArmDotprod
void MultiplyInt8I8mm(const PanelTile& tile);     // 8 bytes, with kArmI8mm
void MultiplyBf16Dots(const PanelTile& tile);     // 2 bf16, with kArmBf16
void MultiplyBf16Matrix(const PanelTile& tile);   // 4 bf16, with kArmBf16
// Rounds `size` f32 numbers, a multiple of 8, to bf16. With kArmBf16.
void RoundToBf16ByNeon(const float* in, size_t size, uint16_t* out);

}  // namespace embedding
