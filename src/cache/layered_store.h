// LayeredStore: a near store in front of a far one. What the near one lacks is looked for in the
// far one, and kept near; what is put goes into both.
#pragma once

#include <memory>
#include <utility>

#include "embedding/result_store.h"

namespace embedding {

class LayeredStore final : public ResultStore {
 public:
  LayeredStore(std::shared_ptr<ResultStore> near, std::shared_ptr<ResultStore> far)
      : near_(std::move(near)), far_(std::move(far)) {}

  void Find(std::span<const ResultKey> keys, std::span<StoredResult> found) noexcept override;
  void Put(const ResultKey& key, std::span<const std::byte> result) noexcept override;
  bool is_shared() const override { return near_->is_shared() || far_->is_shared(); }
  std::vector<ResultStoreStats> stats() const override;

 private:
  const std::shared_ptr<ResultStore> near_;
  const std::shared_ptr<ResultStore> far_;
};

}  // namespace embedding
