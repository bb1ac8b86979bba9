#include <cstddef>
#include <string>
#include <utility>

#include "base/json_document.h"
#include "text/tokenizer_json.h"

namespace embedding {
namespace {

namespace dom = simdjson::dom;

// A merge is a pair of strings, or in older files one string with a space between the two.
bool ParseMerge(const dom::element& element, MergePair& merge) {
  std::string_view both;
  if (element.get_string().get(both) == simdjson::SUCCESS) {
    const size_t space = both.find(' ');
    if (space == std::string_view::npos) return false;
    merge = {both.substr(0, space), both.substr(space + 1)};
    return merge.second.find(' ') == std::string_view::npos;
  }
  dom::array pair;
  return element.get_array().get(pair) == simdjson::SUCCESS && pair.size() == 2 &&
         pair.at(0).get_string().get(merge.first) == simdjson::SUCCESS &&
         pair.at(1).get_string().get(merge.second) == simdjson::SUCCESS;
}

Result<std::vector<MergePair>> ParseMerges(const JsonValue& node) {
  ASSIGN_OR_RETURN(const JsonValue field, node.Field("merges"));
  dom::array array;
  if (field.element().get_array().get(array) != simdjson::SUCCESS) {
    return field.Fail("must be an array of pairs of pieces");
  }
  std::vector<MergePair> merges;
  size_t line = 0;
  for (const dom::element element : array) {
    const size_t number = line++;
    std::string_view text;
    // The first line of a merges.txt, which some files have copied.
    if (element.get_string().get(text) == simdjson::SUCCESS && text.starts_with("#version")) {
      continue;
    }
    if (!ParseMerge(element, merges.emplace_back())) {
      return field.Fail("must have two pieces at [" + std::to_string(number) + "]");
    }
  }
  return merges;
}

Status RefuseDropout(const JsonValue& node) {
  const auto field = node.Find("dropout");
  if (!field) return {};
  ASSIGN_OR_RETURN(const double dropout, field->AsNumber());
  if (dropout == 0) return {};
  return field->Fail(
      "is not 0: tokens drawn by chance are for training and are not supported; set it to null");
}

}  // namespace

Result<std::unique_ptr<Model>> ParseBpe(const JsonValue& node, const JsonValue& said) {
  RETURN_IF_ERROR(RefuseDropout(said));
  BpeOptions options;
  if (const auto unk_token = said.Find("unk_token")) {
    ASSIGN_OR_RETURN(options.unk_token, unk_token->AsString());
  }
  ASSIGN_OR_RETURN(options.fuse_unk, said.Bool("fuse_unk", false));
  ASSIGN_OR_RETURN(options.byte_fallback, said.Bool("byte_fallback", false));
  ASSIGN_OR_RETURN(options.ignore_merges, said.Bool("ignore_merges", false));
  ASSIGN_OR_RETURN(options.continuing_subword_prefix, said.String("continuing_subword_prefix", ""));
  ASSIGN_OR_RETURN(options.end_of_word_suffix, said.String("end_of_word_suffix", ""));
  ASSIGN_OR_RETURN(Vocabulary vocabulary, ParseVocabulary(node));
  ASSIGN_OR_RETURN(const std::vector<MergePair> merges, ParseMerges(node));
  Result<std::unique_ptr<Model>> model = MakeBpe(std::move(vocabulary), merges, options);
  if (!model) return std::move(model).error().At(node.place());
  return model;
}

}  // namespace embedding
