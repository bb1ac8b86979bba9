#include "model/lexical_weights.h"

#include <algorithm>
#include <cmath>
#include <unordered_map>

namespace embedding {
namespace {

// Of more than `most` those that are the largest in size, by id.
void KeepLargest(std::optional<size_t> most, std::vector<TokenWeight>& weights) {
  if (!most || weights.size() <= *most) return;
  const auto first_dropped = weights.begin() + static_cast<ptrdiff_t>(*most);
  std::nth_element(weights.begin(), first_dropped, weights.end(),
                   [](const TokenWeight& a, const TokenWeight& b) {
                     return std::abs(a.weight) > std::abs(b.weight);
                   });
  weights.erase(first_dropped, weights.end());
  std::sort(weights.begin(), weights.end(),
            [](const TokenWeight& a, const TokenWeight& b) { return a.id < b.id; });
}

}  // namespace

std::vector<TokenWeight> WeightsOfTokens(std::span<const int32_t> input_ids,
                                         std::span<const float> weights, const TokenWeights& head) {
  std::vector<TokenWeight> result;
  std::unordered_map<int32_t, size_t> place_of_id;
  for (size_t i = 0; i < input_ids.size(); ++i) {
    const int32_t id = input_ids[i];
    if (weights[i] == 0) continue;
    const auto& unused = head.unused_ids;
    if (std::find(unused.begin(), unused.end(), id) != unused.end()) continue;
    const auto [found, is_new] = place_of_id.try_emplace(id, result.size());
    if (is_new) {
      result.push_back({id, weights[i]});
    } else {
      TokenWeight& seen = result[found->second];
      seen.weight = std::max(seen.weight, weights[i]);
    }
  }
  KeepLargest(head.max_active_dims, result);
  return result;
}

std::vector<TokenWeight> WeightsOfVocabulary(std::span<const float> weights,
                                             std::optional<size_t> most) {
  std::vector<TokenWeight> result;
  for (size_t id = 0; id < weights.size(); ++id) {
    if (weights[id] > 0) result.push_back({static_cast<int32_t>(id), weights[id]});
  }
  KeepLargest(most, result);
  return result;
}

}  // namespace embedding
