// ResultCache: a model's results in a ResultStore. What each head made of a text is an entry of its
// own, so that requests for different heads meet.
//
// Thread-safety: as the store's.
#pragma once

#include <array>
#include <cstddef>
#include <memory>
#include <optional>
#include <span>
#include <vector>

#include "backends/backend.h"
#include "base/sha256.h"
#include "embedding/outputs.h"
#include "embedding/result_store.h"
#include "engine/scheduler.h"

namespace embedding {

// The sizes by which a result is known for one of this model's.
struct ResultShape {
  size_t dimension = 0;  // floats of a dense vector, before `dimensions`
  size_t labels = 0;
  size_t colbert_dimension = 0;
  size_t vocab_size = 0;
};

// What was stored of a text: views into what is kept here.
class CachedText {
 public:
  const SequenceOutputs& outputs() const { return outputs_; }

 private:
  friend class ResultCache;
  std::array<StoredResult, 4> kept_;
  SequenceOutputs outputs_;
};

class ResultCache {
 public:
  ResultCache(std::shared_ptr<ResultStore> store, const Sha256::Digest& identity,
              const ResultShape& shape)
      : store_(std::move(store)), identity_(identity), shape_(shape) {}

  // Gives each job its key, by which Put knows it.
  void SetKeys(std::span<Job> jobs) const;

  // For each job what is stored of it, where that is all that is wanted, which is not token
  // embeddings. Waits as the store does. Throws std::bad_alloc.
  std::vector<std::optional<CachedText>> Find(std::span<const Job> jobs,
                                              const Outputs& wanted) const;

  // Stores what was wanted of a job that was computed. Does not wait.
  void Put(const Job& job, const Outputs& wanted, const SequenceOutputs& outputs) const noexcept;

 private:
  // Whether the bytes are what head `head` makes of so many tokens; those of a shared store may be
  // anything.
  bool Fits(size_t head, std::span<const std::byte> bytes, size_t tokens) const;

  const std::shared_ptr<ResultStore> store_;
  const Sha256::Digest identity_;
  const ResultShape shape_;
};

}  // namespace embedding
