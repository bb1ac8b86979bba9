#include "backends/mlx/mlx_pooling.h"

#include <mlx/mlx.h>

#include <algorithm>
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

// What token i of n is multiplied with, for the modes that are sums; `skipped` tokens stand before
// the first.
float WeightOf(Pooling pooling, size_t i, size_t n, size_t skipped) {
  const auto count = static_cast<float>(n);
  const auto before = static_cast<float>(skipped);
  switch (pooling) {
    case Pooling::kMean:
      return 1.0F / count;
    case Pooling::kMeanSqrtLenTokens:
      return 1.0F / std::sqrt(count);
    case Pooling::kWeightedMean:
      return 2.0F * (before + static_cast<float>(i + 1)) / (count * (2 * before + count + 1));
    case Pooling::kCls:
    case Pooling::kLastToken:
    case Pooling::kMax:
      break;
  }
  return 1.0F;
}

size_t PooledOf(const PooledRows& rows) {
  return static_cast<size_t>(std::max(rows.end - rows.first, 0));
}

// [sequences, size]
mx::array PoolBucket(Pooling pooling, const mx::array& hidden, const Bucket& bucket,
                     std::span<const PooledRows> all) {
  const int sequences = Int(bucket.sequences);
  const int length = Int(bucket.length);
  std::vector<int32_t> rows(bucket.rows.size());
  std::vector<float> weights(bucket.rows.size());
  for (size_t i = 0; i < bucket.members.size(); ++i) {
    const PooledRows& of = all[bucket.members[i]];
    const size_t count = PooledOf(of);
    const auto skipped = static_cast<size_t>(of.first - of.begin);
    for (size_t k = 0; k < count; ++k) {
      rows[i * bucket.length + k] = of.first + static_cast<int32_t>(k);
      weights[i * bucket.length + k] = WeightOf(pooling, k, count, skipped);
    }
  }
  // Not by a product with 0: another sequence's NaN would stay one.
  const mx::array is_token = mx::array(weights.begin(), {sequences, length, 1}) > mx::array(0.0F);
  const float otherwise = pooling == Pooling::kMax ? -std::numeric_limits<float>::infinity() : 0.0F;
  const mx::array tokens = mx::where(is_token, TakeRows(hidden, ToArray(rows, {sequences, length})),
                                     mx::array(otherwise));
  if (pooling == Pooling::kMax) return mx::max(tokens, 1);
  const mx::array sums = mx::matmul(mx::array(weights.begin(), {sequences, 1, length}), tokens);
  return mx::reshape(sums, {sequences, hidden.shape(1)});
}

// The first or the last of each sequence's rows.
mx::array PickRows(Pooling pooling, const mx::array& hidden, std::span<const PooledRows> all) {
  std::vector<int32_t> rows(all.size(), 0);
  std::vector<float> is_there(all.size(), 0.0F);
  for (size_t s = 0; s < all.size(); ++s) {
    const bool is_cls = pooling == Pooling::kCls;
    const int32_t first = PooledOf(all[s]) == 0 && is_cls ? all[s].begin : all[s].first;
    if (first >= all[s].end) continue;
    rows[s] = is_cls ? first : all[s].end - 1;
    is_there[s] = 1.0F;
  }
  return mx::where(mx::array(is_there.begin(), {Int(all.size()), 1}) > mx::array(0.0F),
                   TakeRows(hidden, ToArray(rows, {Int(all.size())})), mx::array(0.0F));
}

}  // namespace

mx::array PoolRows(Pooling pooling, const mx::array& hidden,
                   std::span<const PooledRows> sequences) {
  if (pooling == Pooling::kCls || pooling == Pooling::kLastToken)
    return PickRows(pooling, hidden, sequences);
  std::vector<uint32_t> offsets = {0};  // of what is pooled
  for (const PooledRows& rows : sequences)
    offsets.push_back(offsets.back() + static_cast<uint32_t>(PooledOf(rows)));
  std::vector<mx::array> pooled = {mx::zeros({1, hidden.shape(1)})};
  std::vector<int32_t> places(sequences.size(), 0);  // of those that have none: the zeros
  int32_t first = 1;
  for (const Bucket& bucket : MakeBuckets(offsets).buckets) {
    for (size_t i = 0; i < bucket.members.size(); ++i) {
      places[bucket.members[i]] = first + static_cast<int32_t>(i);
    }
    first += static_cast<int32_t>(bucket.sequences);
    pooled.push_back(PoolBucket(pooling, hidden, bucket, sequences));
  }
  return TakeRows(mx::concatenate(std::move(pooled), 0), ToArray(places, {Int(sequences.size())}));
}

}  // namespace embedding
