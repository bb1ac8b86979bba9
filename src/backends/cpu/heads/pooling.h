// Pooling: one vector out of a sequence's hidden states, as sentence-transformers' Pooling module.
// Pure functions; any thread.
#pragma once

#include <cstddef>
#include <span>

#include "model/heads.h"

namespace embedding {

// hidden is [tokens, hidden_size] of one sequence; writes hidden_size floats to `out`. A sequence
// without tokens gives zeros. kWeightedMean weighs token i (from 0) with i + 1;
// kMeanSqrtLenTokens divides the sum by sqrt(tokens).
void Pool(Pooling pooling, std::span<const float> hidden, size_t hidden_size, std::span<float> out);

}  // namespace embedding
