// Which queries each block of the attention kernel computes: kernels/attention.cuh.
#pragma once

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <span>
#include <vector>

namespace embedding {

struct AttentionTile {
  int32_t first_row = 0;    // of the sequence
  int32_t length = 0;       // of the sequence; 0 for a tile that only fills up the grid
  int32_t first_query = 0;  // in the sequence
  int32_t unused = 0;
};
static_assert(sizeof(AttentionTile) == 16);  // as in the kernel

// Of sequences that have the rows [offsets[s], offsets[s + 1]), up to `queries` a tile. Long
// sequences come first: their tiles take the longest, and a GPU begins tiles in their order.
inline void MakeAttentionTiles(std::span<const uint32_t> offsets, size_t queries,
                               std::vector<AttentionTile>& tiles) {
  tiles.clear();
  for (size_t s = 0; s + 1 < offsets.size(); ++s) {
    const uint32_t length = offsets[s + 1] - offsets[s];
    for (size_t query = 0; query < length; query += queries) {
      tiles.push_back({static_cast<int32_t>(offsets[s]), static_cast<int32_t>(length),
                       static_cast<int32_t>(query)});
    }
  }
  std::stable_sort(tiles.begin(), tiles.end(), [](const AttentionTile& a, const AttentionTile& b) {
    return a.length > b.length;
  });
}

}  // namespace embedding
