// Of which tokens the last hidden states are needed: the last layer computes no others.
#pragma once

#include <cstdint>

#include "embedding/outputs.h"
#include "model/heads.h"

namespace embedding {

// Tokens [begin, end) of a sequence.
struct TokenRange {
  uint32_t begin = 0;
  uint32_t end = 0;

  uint32_t size() const { return end - begin; }
};

// For what is wanted of a sequence of so many tokens: all, the first, the last or none.
inline TokenRange WantedTokens(const Heads& heads, const Outputs& wanted, uint32_t tokens) {
  const TokenRange all = {0, tokens};
  if (tokens == 0 || wanted.lexical_weights || wanted.colbert_vecs || wanted.token_embeddings) {
    return all;
  }
  bool first = wanted.logits;
  bool last = false;
  if (wanted.dense) {
    for (const Pooling pooling : heads.pooled->pooling) {
      first |= pooling == Pooling::kCls;
      last |= pooling == Pooling::kLastToken;
      if (pooling != Pooling::kCls && pooling != Pooling::kLastToken) return all;
    }
  }
  if (first && last) return all;
  if (first) return {0, 1};
  return {last ? tokens - 1 : tokens, tokens};
}

}  // namespace embedding
