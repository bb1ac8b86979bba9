// What is added to attention's scores by how far a key is from its query.
#pragma once

#include <cstddef>
#include <cstdint>
#include <span>

#include "base/aligned_buffer.h"
#include "model/architecture.h"
#include "weights/tensor_store.h"

namespace embedding {

// For each head a number for every distance from a query to a key; nothing where it is empty.
struct ScoreBias {
  const float* numbers = nullptr;  // [heads, 2 * reach + 1], from distance -reach on
  size_t reach = 0;                // no less than any distance that is met

  bool empty() const { return numbers == nullptr; }
  // Of a key `distance` tokens ahead of the query, and of those that follow it.
  const float* of(size_t head, ptrdiff_t distance) const {
    return numbers + head * (2 * reach + 1) +
           static_cast<size_t>(static_cast<ptrdiff_t>(reach) + distance);
  }
};

// Disentangled attention's terms, before they are scaled: of a query's products with the positions'
// keys, and of a key's with the positions' queries, those of the distance between the two; nothing
// where both are nullptr.
struct PositionScores {
  const float* of_queries = nullptr;  // [heads, tokens, positions]
  const float* of_keys = nullptr;     // [heads, tokens, positions]
  size_t tokens = 0;
  size_t positions = 0;
  // Of a key `distance` tokens behind its query, its position: places[reach + distance].
  const uint32_t* places = nullptr;
  size_t reach = 0;

  bool empty() const { return of_queries == nullptr && of_keys == nullptr; }
  // What is added to the score of query and key, tokens of the batch.
  float of(size_t head, size_t query, size_t key) const {
    const size_t place = places[reach + query - key];
    float sum = 0;
    if (of_queries != nullptr) sum += of_queries[(head * tokens + query) * positions + place];
    if (of_keys != nullptr) sum += of_keys[(head * tokens + key) * positions + place];
    return sum;
  }
};

// What is added to attention's scores besides q k^T.
struct ScoreTerms {
  ScoreBias bias = {};
  PositionScores positions = {};
};

// The numbers of a RelativeBias, spread out from buckets to distances.
class RelativeBiasTable {
 public:
  // `table` is [buckets, heads].
  RelativeBiasTable(const RelativeBias& bias, const TensorView& table, size_t heads);

  // For sequences of up to `tokens` tokens, at least. Not thread-safe.
  void Reserve(size_t tokens);
  ScoreBias view() const { return {numbers_.data(), reach_}; }

 private:
  RelativeBias bias_;
  size_t heads_;
  AlignedBuffer<float> of_buckets_;  // [buckets, heads]
  size_t reach_ = 0;
  AlignedBuffer<float> numbers_;  // [heads, 2 * reach + 1]
};

}  // namespace embedding
