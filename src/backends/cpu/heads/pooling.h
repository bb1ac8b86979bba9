// Pooling: one vector out of a sequence's hidden states, as sentence-transformers' Pooling module.
// Pure functions; any thread.
#pragma once

#include <cstddef>
#include <span>

#include "model/heads.h"

namespace embedding {

// hidden is [tokens, hidden_size] of one sequence; writes hidden_size floats to `out`. The tokens
// before `first` are left out. A sequence without tokens gives zeros, and so does one of which all
// are left out; the first token of such a one is its first, though. kWeightedMean weighs token i
// (from 0, with those that are left out) with i + 1; kMeanSqrtLenTokens divides the sum by the
// square root of how many there are.
void Pool(Pooling pooling, std::span<const float> hidden, size_t hidden_size, size_t first,
          std::span<float> out);

}  // namespace embedding
