#include "backends/cpu/score_bias.h"

#include <algorithm>
#include <bit>
#include <cmath>

namespace embedding {

RelativeBiasTable::RelativeBiasTable(const RelativeBias& bias, const TensorView& table,
                                     size_t heads)
    : bias_(bias), heads_(heads), of_buckets_(table.elements()) {
  CopyToF32(table, of_buckets_.span());
}

// As _relative_position_bucket of transformers' T5, both ways.
size_t RelativeBiasTable::Bucket(ptrdiff_t distance) const {
  const size_t half = bias_.buckets / 2;
  const size_t first = distance > 0 ? half : 0;
  const auto n = static_cast<size_t>(std::abs(distance));
  const size_t exact = half / 2;
  if (n < exact) return first + n;
  const auto ratio = static_cast<float>(n) / static_cast<float>(exact);
  const double range = static_cast<double>(bias_.max_distance) / static_cast<double>(exact);
  const float share =
      std::log(ratio) / static_cast<float>(std::log(range)) * static_cast<float>(half - exact);
  return first + std::min(exact + static_cast<size_t>(share), half - 1);
}

void RelativeBiasTable::Reserve(size_t tokens) {
  if (tokens <= reach_ + 1 && numbers_.size() != 0) return;
  const size_t reach = std::bit_ceil(std::max<size_t>(tokens, 1));
  reach_ = 0;
  numbers_.Resize(heads_ * (2 * reach + 1));
  for (size_t d = 0; d <= 2 * reach; ++d) {
    const size_t bucket = Bucket(static_cast<ptrdiff_t>(d) - static_cast<ptrdiff_t>(reach));
    for (size_t h = 0; h < heads_; ++h) {
      numbers_[h * (2 * reach + 1) + d] = of_buckets_[bucket * heads_ + h];
    }
  }
  reach_ = reach;
}

}  // namespace embedding
