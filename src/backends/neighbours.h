// Which rows of a batch a convolution takes for each: Convolution of model/architecture.h.
#pragma once

#include <cstddef>
#include <cstdint>
#include <span>
#include <vector>

#include "model/architecture.h"

namespace embedding {

// Into rows[0 .. tokens * kernel): for each token its neighbours from the first on, itself among
// them; `beyond` where its sequence has none. `offsets`: Batch::offsets.
inline void PlaceNeighbours(const Convolution& convolution, std::span<const uint32_t> offsets,
                            int32_t beyond, std::vector<int32_t>& rows) {
  const auto reach = static_cast<int64_t>(convolution.kernel / 2);
  rows.clear();
  for (size_t s = 0; s + 1 < offsets.size(); ++s) {
    const int64_t begin = offsets[s];
    const int64_t end = offsets[s + 1];
    for (int64_t token = begin; token < end; ++token) {
      for (int64_t row = token - reach; row <= token + reach; ++row) {
        rows.push_back(row >= begin && row < end ? static_cast<int32_t>(row) : beyond);
      }
    }
  }
}

}  // namespace embedding
