// What of a batch is wanted, and of which tokens that needs the last hidden states: the last layer
// computes no others.
#pragma once

#include <algorithm>
#include <cstdint>

#include "backends/backend.h"
#include "embedding/outputs.h"
#include "model/heads.h"

namespace embedding {

// Whether any sequence wants that.
inline bool Wants(const Batch& batch, bool Outputs::*what) {
  return std::any_of(batch.wanted.begin(), batch.wanted.end(),
                     [what](const Outputs& wanted) { return wanted.*what; });
}

// Tokens [begin, end) of a sequence.
struct TokenRange {
  uint32_t begin = 0;
  uint32_t end = 0;

  uint32_t size() const { return end - begin; }
};

// For what is wanted of a sequence of so many tokens: all, the first, the last or none.
// `first_pooled` is the sequence's of the batch.
inline TokenRange WantedTokens(const Heads& heads, const Outputs& wanted, uint32_t tokens,
                               size_t first_pooled = 0) {
  const TokenRange all = {0, tokens};
  if (tokens == 0 || wanted.lexical_weights || wanted.colbert_vecs || wanted.token_embeddings) {
    return all;
  }
  bool first = false;
  bool last = false;
  bool others = false;
  const auto needs = [&](Pooling pooling) {
    first |= pooling == Pooling::kCls;
    last |= pooling == Pooling::kLastToken;
    others |= pooling != Pooling::kCls && pooling != Pooling::kLastToken;
  };
  const auto needs_modes = [&](const PooledVector& vector) {
    std::ranges::for_each(vector.pooling, needs);
    others |= first_pooled > 0;
  };
  if (wanted.logits && heads.classifier) {
    needs(heads.classifier->pooling);
    // Which is the last of those that are not padding is for the head to see.
    others |= heads.classifier->padding_id.has_value();
  }
  if (wanted.logits && heads.scores) needs_modes(*heads.scores);
  if (wanted.dense) needs_modes(*heads.pooled);
  if (others) return all;
  if (first && last) return all;
  if (first) return {0, 1};
  return {last ? tokens - 1 : tokens, tokens};
}

}  // namespace embedding
