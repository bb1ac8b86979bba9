// The scores of a Unigram model, with the values that the `tokenizers` library computes with.
//
// It reads JSON with serde_json, whose numbers are not the nearest doubles to what the file says
// (its feature float_roundtrip, which would make them so, is off): a decimal number's digits are
// taken as an integer, which is rounded to a double, and that is divided by a power of ten and
// rounded again. A quarter of bge-m3's 250,002 scores come out one unit in the last place aside.
// That is nothing, except where two ways to cut a word have the same sum: "nn" + "n" and "n" + "nn"
// behind "▁lan" are equal or not by the last bit.
#pragma once

#include <cstddef>
#include <string_view>
#include <vector>

#include "base/result.h"

namespace embedding {

// The value of the JSON number that `text` begins with; infinite if it is too large for a double.
double ParseScore(std::string_view text);

// model.vocab[i][1] of a tokenizer.json for each of its `count` pieces. `padded_json` must be valid
// JSON with simdjson::SIMDJSON_PADDING readable bytes behind it. Errors: kModelLoad for a score
// that is no number or too large, and for another count of them.
Result<std::vector<double>> ReadUnigramScores(std::string_view padded_json, size_t count);

}  // namespace embedding
