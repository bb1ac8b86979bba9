#include "cache/layered_store.h"

#include <algorithm>
#include <exception>

namespace embedding {

void LayeredStore::Find(std::span<const ResultKey> keys, std::span<StoredResult> found) noexcept {
  near_->Find(keys, found);
  const auto is_missing = [](const StoredResult& result) { return result == nullptr; };
  if (std::none_of(found.begin(), found.end(), is_missing)) return;
  try {
    const std::vector<StoredResult> before(found.begin(), found.end());
    far_->Find(keys, found);
    for (size_t i = 0; i < keys.size(); ++i) {
      if (before[i] == nullptr && found[i] != nullptr) near_->Put(keys[i], *found[i]);
    }
  } catch (const std::exception&) {
    // No memory: what is not found yet is computed.
  }
}

void LayeredStore::Put(const ResultKey& key, std::span<const std::byte> result) noexcept {
  near_->Put(key, result);
  far_->Put(key, result);
}

std::vector<ResultStoreStats> LayeredStore::stats() const {
  std::vector<ResultStoreStats> stats = near_->stats();
  for (const ResultStoreStats& of_far : far_->stats()) stats.push_back(of_far);
  return stats;
}

}  // namespace embedding
