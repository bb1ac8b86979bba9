// The parts of a tokenizer.json, each made into the component it describes.
//
// Every function's errors are kModelLoad with the path in the document of what cannot be used, and
// for a component that is not supported its name.
#pragma once

#include <algorithm>
#include <cstddef>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/json_value.h"
#include "base/result.h"
#include "text/added_tokens.h"
#include "text/model.h"
#include "text/normalizer.h"
#include "text/post_processor.h"
#include "text/pre_tokenizer.h"
#include "text/regex.h"
#include "text/tokenizer_overrides.h"

namespace embedding {

// The most normalizers, or pre-tokenizers, that a text may go through. Real ones have up to ten;
// each may make the text longer.
inline constexpr size_t kMaxSteps = 32;
inline Error TooManySteps(const JsonValue& node) {
  return node.Fail("is one more than the " + std::to_string(kMaxSteps) + " that are supported");
}

// What a file says is not to make a text of a few kilobytes one of gigabytes: steps one after the
// other multiply what each does. The longest replacement of NFKC has 33 bytes; with a space that is
// replaced, and another put before, that is some hundreds. `steps` have a max_growth.
inline constexpr size_t kMaxGrowth = 1024;
template <typename Steps>
Status CheckGrowth(const JsonValue& node, const Steps& steps) {
  size_t growth = 1;
  for (const auto& step : steps) {
    // Neither is above kMaxGrowth before, so that the product fits.
    if (step->max_growth() <= kMaxGrowth) growth *= step->max_growth();
    if (std::max(growth, step->max_growth()) > kMaxGrowth) {
      return node.Fail("could make a text more than " + std::to_string(kMaxGrowth) +
                       " times as long, which is not supported");
    }
  }
  return {};
}

// A component's "type".
Result<std::string_view> TypeOf(const JsonValue& node);
// A string of exactly one character.
Result<std::string_view> AsCharacter(const JsonValue& node);
// A string that is a regular expression.
Result<Regex> ParseRegexField(const JsonValue& node);

// "normalizer" and "pre_tokenizer", a Sequence as its members in order.
Result<std::vector<std::unique_ptr<Normalizer>>> ParseNormalizers(const JsonValue& node);
Result<std::vector<std::unique_ptr<PreTokenizer>>> ParsePreTokenizers(const JsonValue& node);

// "model". All but its type, vocabulary and merges is read from `said`, which is the same node or
// one in its place. `nearest_scores`: TokenizerOverrides'.
Result<std::unique_ptr<Model>> ParseModel(const JsonValue& node, const JsonValue& said,
                                          bool nearest_scores);
// Its type: "BPE", "WordPiece", "Unigram", "WordLevel", or what else the file says.
Result<std::string_view> ModelType(const JsonValue& node);
// Of it, "vocab" as an object of pieces and their ids; and the whole of a BPE model, as ParseModel.
Result<Vocabulary> ParseVocabulary(const JsonValue& model);
Result<std::unique_ptr<Model>> ParseBpe(const JsonValue& node, const JsonValue& said);

// "post_processor". `DefaultPostProcessor` is what a document without one means: nothing is added.
// `first` and `last` are ids: Bert's [CLS] A [SEP] B [SEP] with the type 1 from B on, and Roberta's
// <s> A </s> </s> B </s>, all of type 0.
PostProcessor BertPostProcessor(int32_t first, int32_t last);
PostProcessor RobertaPostProcessor(int32_t first, int32_t last);
PostProcessor DefaultPostProcessor();
Result<PostProcessor> ParsePostProcessor(const JsonValue& node);

// "added_tokens", with the ids that the file says.
Result<std::vector<AddedToken>> ParseAddedTokens(const JsonValue& node);
// Those of the file and of the overrides, of a tokenizer with such a vocabulary. Ids are given as
// `tokenizers` gives them: a token that the vocabulary has keeps that id, others are counted on
// from the number of its pieces (which is a piece's own id where the vocabulary's have gaps). Of
// tokens with one id the last stays; empty ones are left out.
std::vector<AddedToken> NumberAddedTokens(std::vector<AddedToken> of_file,
                                          const AddedTokenOverrides& overrides,
                                          const Vocabulary& vocabulary);

}  // namespace embedding
