// The parts of a tokenizer.json, each made into the component it describes.
//
// Every function's errors are kModelLoad with the path in the document of what cannot be used, and
// for a component that is not supported its name.
#pragma once

#include <cstddef>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "base/result.h"
#include "text/added_tokens.h"
#include "text/json_node.h"
#include "text/model.h"
#include "text/normalizer.h"
#include "text/post_processor.h"
#include "text/pre_tokenizer.h"

namespace embedding {

// The most normalizers, or pre-tokenizers, that a text may go through. Real ones have up to ten;
// each may make the text longer.
inline constexpr size_t kMaxSteps = 32;
inline Error TooManySteps(const JsonNode& node) {
  return node.Fail("is one more than the " + std::to_string(kMaxSteps) + " that are supported");
}

// "normalizer" and "pre_tokenizer", a Sequence as its members in order.
Result<std::vector<std::unique_ptr<Normalizer>>> ParseNormalizers(const JsonNode& node);
Result<std::vector<std::unique_ptr<PreTokenizer>>> ParsePreTokenizers(const JsonNode& node);

// "model". `padded_json` is the text of the whole document, with simdjson::SIMDJSON_PADDING
// readable bytes behind it.
Result<std::unique_ptr<Model>> ParseModel(const JsonNode& node, std::string_view padded_json);
// Its type: "WordPiece", "Unigram", or what else the file says.
Result<std::string_view> ModelType(const JsonNode& node);

// "post_processor". `DefaultPostProcessor` is what a document without one means: nothing is added.
PostProcessor DefaultPostProcessor();
Result<PostProcessor> ParsePostProcessor(const JsonNode& node);

// "added_tokens", of a tokenizer with such a vocabulary. Ids are given as `tokenizers` gives them:
// a token that the vocabulary has keeps that id, others are counted on from the number of its
// pieces (which is a piece's own id where the vocabulary's have gaps). Of tokens with one id the
// last stays.
Result<std::vector<AddedToken>> ParseAddedTokens(const JsonNode& node,
                                                 const Vocabulary& vocabulary);

}  // namespace embedding
