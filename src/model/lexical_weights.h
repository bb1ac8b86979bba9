// What a sparse head's numbers are as weights of token ids.
//
// Pure functions; any thread.
#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <span>
#include <vector>

#include "embedding/outputs.h"
#include "model/heads.h"

namespace embedding {

// Of a sequence's tokens, `weights` of `input_ids`, both [tokens], as the head's activation leaves
// them: the ids with weights other than 0, each once with its largest weight, without the
// head's unused ones; in order of first appearance, or by id where the head keeps fewer than there
// are.
std::vector<TokenWeight> WeightsOfTokens(std::span<const int32_t> input_ids,
                                         std::span<const float> weights, const TokenWeights& head);

// Of the entries of a vocabulary, `weights` [vocab_size]: those above 0, by id; of more than
// `most` the largest.
std::vector<TokenWeight> WeightsOfVocabulary(std::span<const float> weights,
                                             std::optional<size_t> most);

}  // namespace embedding
