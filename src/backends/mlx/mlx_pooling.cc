#include "backends/mlx/mlx_pooling.h"

#include <mlx/mlx.h>

#include <cmath>
#include <limits>
#include <utility>
#include <vector>

#include "backends/mlx/arrays.h"
#include "backends/mlx/buckets.h"

namespace embedding {

namespace mx = mlx::core;

namespace {

int Int(size_t n) { return static_cast<int>(n); }

// What token i of n is multiplied with, for the modes that are sums.
float WeightOf(Pooling pooling, size_t i, size_t n) {
  const auto count = static_cast<float>(n);
  switch (pooling) {
    case Pooling::kMean:
      return 1.0F / count;
    case Pooling::kMeanSqrtLenTokens:
      return 1.0F / std::sqrt(count);
    case Pooling::kWeightedMean:
      return 2.0F * static_cast<float>(i + 1) / (count * (count + 1));
    case Pooling::kCls:
    case Pooling::kLastToken:
    case Pooling::kMax:
      break;
  }
  return 1.0F;
}

// [sequences, hidden_size]
mx::array PoolBucket(Pooling pooling, const mx::array& hidden, const Bucket& bucket) {
  const int sequences = Int(bucket.sequences);
  const int length = Int(bucket.length);
  const mx::array tokens = TakeRows(hidden, ToArray(bucket.rows, {sequences, length}));
  std::vector<float> weights(bucket.rows.size());
  for (size_t s = 0; s < bucket.sequences; ++s) {
    for (size_t i = 0; i < bucket.lengths[s]; ++i) {
      weights[s * bucket.length + i] = WeightOf(pooling, i, bucket.lengths[s]);
    }
  }
  if (pooling == Pooling::kMax) {
    const mx::array is_token = mx::array(weights.begin(), {sequences, length, 1}) > mx::array(0.0F);
    return mx::max(mx::where(is_token, tokens, mx::array(-std::numeric_limits<float>::infinity())),
                   1);
  }
  const mx::array sums = mx::matmul(mx::array(weights.begin(), {sequences, 1, length}), tokens);
  return mx::reshape(sums, {sequences, hidden.shape(1)});
}

// The first or the last row of each sequence.
mx::array PickRows(Pooling pooling, const mx::array& hidden, std::span<const uint32_t> offsets) {
  const size_t sequences = offsets.size() - 1;
  std::vector<int32_t> rows(sequences, 0);
  std::vector<float> is_there(sequences, 0.0F);
  for (size_t s = 0; s < sequences; ++s) {
    if (offsets[s] == offsets[s + 1]) continue;
    rows[s] = static_cast<int32_t>(pooling == Pooling::kCls ? offsets[s] : offsets[s + 1] - 1);
    is_there[s] = 1.0F;
  }
  return TakeRows(hidden, ToArray(rows, {Int(sequences)})) *
         mx::array(is_there.begin(), {Int(sequences), 1});
}

}  // namespace

mx::array PoolRows(Pooling pooling, const mx::array& hidden, std::span<const uint32_t> offsets) {
  if (pooling == Pooling::kCls || pooling == Pooling::kLastToken)
    return PickRows(pooling, hidden, offsets);
  const size_t sequences = offsets.size() - 1;
  std::vector<mx::array> pooled = {mx::zeros({1, hidden.shape(1)})};
  std::vector<int32_t> places(sequences, 0);  // of empty ones: the zeros
  int32_t first = 1;
  for (const Bucket& bucket : MakeBuckets(offsets).buckets) {
    for (size_t i = 0; i < bucket.members.size(); ++i) {
      places[bucket.members[i]] = first + static_cast<int32_t>(i);
    }
    first += static_cast<int32_t>(bucket.sequences);
    pooled.push_back(PoolBucket(pooling, hidden, bucket));
  }
  return TakeRows(mx::concatenate(std::move(pooled), 0), ToArray(places, {Int(sequences)}));
}

}  // namespace embedding
