// Best first: the order in which rerankers answer.
#pragma once

#include <algorithm>
#include <cstddef>
#include <numeric>
#include <span>
#include <vector>

namespace embedding::api {

// The places of `scores` from the largest to the smallest; equal ones in their own order.
inline std::vector<size_t> BestFirst(std::span<const float> scores) {
  std::vector<size_t> order(scores.size());
  std::iota(order.begin(), order.end(), size_t{0});
  std::stable_sort(order.begin(), order.end(),
                   [&](size_t a, size_t b) { return scores[a] > scores[b]; });
  return order;
}

}  // namespace embedding::api
