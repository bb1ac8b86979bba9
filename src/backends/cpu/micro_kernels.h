// The kernels of the products of panel_product.h: what differs from one type of numbers, and from
// one instruction set, to another.
//
// A kernel keeps the sums of a few rows and one panel in registers and adds, word by word, the
// outer product of the rows' words and the panel's. A word is 32 bits: an f32, two bf16 or a few
// integers, of which a multiplication gives the sum of products.
#pragma once

#include <optional>

#include "backends/cpu/panel_tile.h"

namespace embedding {

// Of all kernels: four vectors of AVX-512.
inline constexpr size_t kMaxPanelWidth = 64;

struct MicroKernel {
  size_t group;  // input features in a word
  size_t width;  // output features of a panel
  size_t rows;   // most rows of a tile
  void (*multiply)(const PanelTile& tile);
  // Bytes in which a word of the weight is stored, and what makes words of 4 bytes of them; nullptr
  // where `multiply` reads them as they are stored.
  size_t stored_bytes = 4;
  void (*widen)(const uint8_t* stored, size_t words, uint8_t* to) = nullptr;
};

// For the best instruction set that may be used (instruction_set.h). Sums are float.
MicroKernel F32Kernel();
// The same with the weight stored in f16.
MicroKernel F16Kernel();
// Words are pairs of bf16; nothing where the processor does not multiply those. Sums are float.
std::optional<MicroKernel> Bf16Kernel();
// Words are integers from 0 to 255 on the left, bytes or 16 bits wide according to `group`, and
// signed bytes in the weight. Sums are int32_t.
MicroKernel Int8Kernel();

}  // namespace embedding
