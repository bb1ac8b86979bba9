// How tokenizer classes number the pieces of a SentencePiece model, and the tokens that are their
// own.
#include <fmt/format.h>

#include <algorithm>
#include <cstddef>
#include <iterator>
#include <utility>

#include "model/class_parts.h"
#include "weights/model_error.h"

namespace embedding {
namespace {

// More than any model has, and fewer than would take a machine's memory.
constexpr int64_t kMostExtraIds = 65'536;

Result<int64_t> ReadExtraIds(const JsonValue& config) {
  return config.Integer("extra_ids", 0, kMostExtraIds, 100);
}

std::string Sentinel(int64_t number) { return fmt::format("<extra_id_{}>", number); }

Result<ScoredPiece> PieceNamed(std::string_view name, const ClassArguments& arguments) {
  ScoredPiece piece = {arguments.tokens.Text(name), 0.0};
  if (!piece.text.empty()) return piece;
  return ModelError("{}: {} is null, but the vocabulary is made with that token",
                    arguments.config.place(), name);
}

// Puts the pieces from number `first` on behind `before`, and the token "mask_token" at the end.
Status PutBetween(std::vector<ScoredPiece> before, size_t first, const ClassArguments& arguments,
                  std::vector<ScoredPiece>& pieces) {
  const auto begin = pieces.begin() + static_cast<ptrdiff_t>(std::min(first, pieces.size()));
  before.insert(before.end(), std::make_move_iterator(begin),
                std::make_move_iterator(pieces.end()));
  ASSIGN_OR_RETURN(before.emplace_back(), PieceNamed("mask_token", arguments));
  pieces = std::move(before);
  return {};
}

AddedToken Special(std::string content) {
  AddedToken token;
  token.content = std::move(content);
  token.special = true;
  return token;
}

}  // namespace

Status ArrangeXlmRobertaPieces(const ClassArguments& arguments, std::vector<ScoredPiece>& pieces) {
  std::vector<ScoredPiece> before;
  for (const char* name : {"bos_token", "pad_token", "eos_token", "unk_token"}) {
    ASSIGN_OR_RETURN(before.emplace_back(), PieceNamed(name, arguments));
  }
  return PutBetween(std::move(before), 3, arguments, pieces);
}

Status ArrangeCamembertPieces(const ClassArguments& arguments, std::vector<ScoredPiece>& pieces) {
  ASSIGN_OR_RETURN(const ScoredPiece pad, PieceNamed("pad_token", arguments));
  ASSIGN_OR_RETURN(const ScoredPiece unk, PieceNamed("unk_token", arguments));
  return PutBetween({{"<s>NOTUSED", 0.0}, pad, {"</s>NOTUSED", 0.0}, unk, {"<unk>NOTUSED", -100.0}},
                    1, arguments, pieces);
}

Status ArrangeT5Pieces(const ClassArguments& arguments, std::vector<ScoredPiece>& pieces) {
  ASSIGN_OR_RETURN(const int64_t extra_ids, ReadExtraIds(arguments.config));
  for (int64_t i = extra_ids; i-- > 0;) pieces.push_back({Sentinel(i), 0.0});
  return {};
}

Status AddCamembertTokens(const JsonValue& /*config*/, TokenList& tokens) {
  if (tokens) return {};
  tokens.emplace();
  for (const char* text : {"<s>NOTUSED", "</s>NOTUSED", "<unk>NOTUSED"}) {
    tokens->push_back(Special(text));
  }
  return {};
}

Status AddT5Tokens(const JsonValue& config, TokenList& tokens) {
  ASSIGN_OR_RETURN(const int64_t extra_ids, ReadExtraIds(config));
  if (!tokens) tokens.emplace();
  const auto said = std::count_if(tokens->begin(), tokens->end(), [](const AddedToken& token) {
    return token.content.find("<extra_id_") != std::string::npos;
  });
  if (said > 0) {
    if (extra_ids == 0 || extra_ids == said) return {};
    return ModelError(
        "{}: extra_ids is {}, but the additional_special_tokens of special_tokens_map.json have {} "
        "such tokens",
        config.place(), extra_ids, said);
  }
  for (int64_t i = 0; i < extra_ids; ++i) tokens->push_back(Special(Sentinel(i)));
  return {};
}

}  // namespace embedding
