// Which bucket of a RelativeBias, and which position of Disentangled, a distance has.
#pragma once

#include <algorithm>
#include <cmath>
#include <cstddef>
#include <cstdlib>

#include "model/architecture.h"

namespace embedding {

// Of a key that is `distance` tokens ahead of the query, or, below 0, behind it: as
// _relative_position_bucket of transformers' T5, both ways, in f32 as there.
inline size_t RelativeBucket(const RelativeBias& bias, ptrdiff_t distance) {
  const size_t half = bias.buckets / 2;
  const size_t first = distance > 0 ? half : 0;
  const auto n = static_cast<size_t>(std::abs(distance));
  const size_t exact = half / 2;
  if (n < exact) return first + n;
  const auto ratio = static_cast<float>(n) / static_cast<float>(exact);
  const double range = static_cast<double>(bias.max_distance) / static_cast<double>(exact);
  const float share =
      std::log(ratio) / static_cast<float>(std::log(range)) * static_cast<float>(half - exact);
  return first + std::min(exact + static_cast<size_t>(share), half - 1);
}

// Of a key that is `distance` tokens behind the query, or, below 0, ahead of it: as
// make_log_bucket_position of transformers' DeBERTa v2, moved by the span.
inline size_t RelativePlace(const Disentangled& disentangled, ptrdiff_t distance) {
  const auto span = static_cast<ptrdiff_t>(disentangled.span);
  const auto middle = static_cast<ptrdiff_t>(disentangled.buckets / 2);
  const ptrdiff_t size = std::abs(distance);
  ptrdiff_t bucket = distance;
  if (disentangled.buckets > 0 && size > middle) {
    const float ratio =
        std::log(static_cast<float>(size) / static_cast<float>(middle)) /
        std::log(static_cast<float>(disentangled.max_distance - 1) / static_cast<float>(middle));
    bucket = static_cast<ptrdiff_t>(std::ceil(ratio * static_cast<float>(middle - 1))) + middle;
    if (distance < 0) bucket = -bucket;
  }
  return static_cast<size_t>(std::clamp<ptrdiff_t>(bucket + span, 0, 2 * span - 1));
}

}  // namespace embedding
