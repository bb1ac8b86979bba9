#include "backends/cpu/heads/head.h"

#include <algorithm>

namespace embedding {

std::span<const float> GatheredRows::Gather(const Batch& batch, const HiddenStates& hidden,
                                            bool Outputs::*wants) {
  const auto of = [&](size_t s) {
    return batch.wanted[s].*wants ? hidden.of(s) : std::span<const float>();
  };
  size_t size = 0;
  for (size_t s = 0; s < batch.sequences(); ++s) size += of(s).size();
  if (size == hidden.rows.size()) return hidden.rows;
  rows_.Resize(size);
  float* to = rows_.data();
  for (size_t s = 0; s < batch.sequences(); ++s) {
    const std::span<const float> rows = of(s);
    to = std::copy(rows.begin(), rows.end(), to);
  }
  return rows_.span();
}

}  // namespace embedding
