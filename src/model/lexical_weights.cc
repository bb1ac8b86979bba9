#include "model/lexical_weights.h"

#include <algorithm>
#include <unordered_map>

namespace embedding {

std::vector<TokenWeight> WeightsOfTokens(std::span<const int32_t> input_ids,
                                         std::span<const float> weights,
                                         std::span<const int32_t> unused_ids) {
  std::vector<TokenWeight> result;
  std::unordered_map<int32_t, size_t> place_of_id;
  for (size_t i = 0; i < input_ids.size(); ++i) {
    const int32_t id = input_ids[i];
    if (!(weights[i] > 0)) continue;
    if (std::find(unused_ids.begin(), unused_ids.end(), id) != unused_ids.end()) continue;
    const auto [found, is_new] = place_of_id.try_emplace(id, result.size());
    if (is_new) {
      result.push_back({id, weights[i]});
    } else {
      TokenWeight& seen = result[found->second];
      seen.weight = std::max(seen.weight, weights[i]);
    }
  }
  return result;
}

std::vector<TokenWeight> WeightsOfVocabulary(std::span<const float> weights,
                                             std::optional<size_t> most) {
  std::vector<TokenWeight> result;
  for (size_t id = 0; id < weights.size(); ++id) {
    if (weights[id] > 0) result.push_back({static_cast<int32_t>(id), weights[id]});
  }
  if (!most || result.size() <= *most) return result;
  const auto smallest_kept = result.begin() + static_cast<ptrdiff_t>(*most);
  std::nth_element(result.begin(), smallest_kept, result.end(),
                   [](const TokenWeight& a, const TokenWeight& b) { return a.weight > b.weight; });
  result.erase(smallest_kept, result.end());
  std::sort(result.begin(), result.end(),
            [](const TokenWeight& a, const TokenWeight& b) { return a.id < b.id; });
  return result;
}

}  // namespace embedding
