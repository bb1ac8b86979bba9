#include "backends/cpu/score_bias.h"

#include <algorithm>
#include <bit>

#include "backends/relative_bucket.h"

namespace embedding {

RelativeBiasTable::RelativeBiasTable(const RelativeBias& bias, const TensorView& table,
                                     size_t heads)
    : bias_(bias), heads_(heads), of_buckets_(table.elements()) {
  CopyToF32(table, of_buckets_.span());
}

void RelativeBiasTable::Reserve(size_t tokens) {
  if (tokens <= reach_ + 1 && numbers_.size() != 0) return;
  const size_t reach = std::bit_ceil(std::max<size_t>(tokens, 1));
  reach_ = 0;
  numbers_.Resize(heads_ * (2 * reach + 1));
  for (size_t d = 0; d <= 2 * reach; ++d) {
    const size_t bucket =
        RelativeBucket(bias_, static_cast<ptrdiff_t>(d) - static_cast<ptrdiff_t>(reach));
    for (size_t h = 0; h < heads_; ++h) {
      numbers_[h * (2 * reach + 1) + d] = of_buckets_[bucket * heads_ + h];
    }
  }
  reach_ = reach;
}

}  // namespace embedding
