#include "backends/mlx/buckets.h"

#include <algorithm>
#include <bit>
#include <map>

namespace embedding {
namespace {

// To a multiple of a part of the power of two that is at most n.
size_t RoundUp(size_t n, size_t parts, size_t least) {
  n = std::max<size_t>(n, 1);
  const size_t step = std::max(std::bit_floor(n) / parts, least);
  return (n + step - 1) / step * step;
}

}  // namespace

size_t RoundUpCoarsely(size_t n) { return RoundUp(n, 4, 1); }
size_t RoundUpFinely(size_t n) { return RoundUp(n, 8, 64); }

bool Bucket::is_mixed() const {
  return std::any_of(lengths.begin(), lengths.end(), [this](uint32_t n) { return n != length; });
}

Buckets MakeBuckets(std::span<const uint32_t> offsets) {
  constexpr size_t kShortest = 16;
  std::map<size_t, std::vector<size_t>> by_length;
  for (size_t s = 0; s + 1 < offsets.size(); ++s) {
    const size_t length = offsets[s + 1] - offsets[s];
    if (length > 0) by_length[std::max(kShortest, RoundUpCoarsely(length))].push_back(s);
  }
  Buckets made;
  made.places.resize(offsets.empty() ? 0 : offsets.back());
  size_t first = 0;  // of the bucket's tokens
  for (auto& [rounded, members] : by_length) {
    Bucket bucket;
    bucket.length = rounded;
    bucket.sequences = RoundUpCoarsely(members.size());
    bucket.rows.resize(bucket.sequences * bucket.length);
    bucket.lengths.assign(bucket.sequences, static_cast<uint32_t>(bucket.length));
    for (size_t i = 0; i < members.size(); ++i) {
      const size_t length = offsets[members[i] + 1] - offsets[members[i]];
      bucket.lengths[i] = static_cast<uint32_t>(length);
      for (size_t k = 0; k < length; ++k) {
        const size_t row = offsets[members[i]] + k;
        const size_t token = i * bucket.length + k;
        bucket.rows[token] = static_cast<int32_t>(row);
        made.places[row] = static_cast<int32_t>(first + token);
      }
    }
    first += bucket.sequences * bucket.length;
    bucket.members = std::move(members);
    made.buckets.push_back(std::move(bucket));
  }
  return made;
}

}  // namespace embedding
