// Which row of the table of position embeddings each token of a batch takes.
#pragma once

#include <cstddef>
#include <cstdint>
#include <vector>

#include "backends/backend.h"
#include "model/architecture.h"

namespace embedding {

// Into rows[0 .. tokens).
inline void PlaceTokens(const Positions& positions, const Batch& batch,
                        std::vector<int32_t>& rows) {
  rows.resize(batch.tokens());
  for (size_t s = 0; s < batch.sequences(); ++s) {
    auto next = static_cast<int32_t>(positions.first);
    for (size_t i = batch.offsets[s]; i < batch.offsets[s + 1]; ++i) {
      const bool is_uncounted = positions.uncounted_id == batch.input_ids[i];
      rows[i] = is_uncounted ? batch.input_ids[i] : next++;
    }
  }
}

}  // namespace embedding
