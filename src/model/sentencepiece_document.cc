#include "model/sentencepiece_document.h"

#include <cstddef>
#include <string_view>
#include <unordered_set>
#include <vector>

#include "text/merges.h"
#include "text/vocabulary_files.h"

namespace embedding {
namespace {

using Algorithm = SentencePieceModel::Algorithm;
using Kind = SentencePieceModel::Piece::Kind;

std::vector<std::string_view> TextsOf(const SentencePieceModel& model) {
  std::vector<std::string_view> texts;
  texts.reserve(model.pieces.size());
  for (const SentencePieceModel::Piece& piece : model.pieces) texts.push_back(piece.text);
  return texts;
}

// TokenizersBackend takes the tokens of added_tokens_decoder for the pieces with their ids, which
// are placeholders ("[control_8]").
void ReplacePlaceholders(const SpecialTokens& tokens, std::vector<std::string_view>& texts) {
  if (!tokens.has_decoder) return;
  std::unordered_set<std::string_view> known(texts.begin(), texts.end());
  for (const AddedToken& token : tokens.with_ids) {
    if (static_cast<size_t>(token.id) >= texts.size()) continue;
    if (known.insert(token.content).second) texts[static_cast<size_t>(token.id)] = token.content;
  }
}

}  // namespace

TokenList AddedPieces(const SentencePieceModel& model) {
  std::vector<AddedToken> tokens;
  for (const SentencePieceModel::Piece& piece : model.pieces) {
    if (piece.kind != Kind::kControl && piece.kind != Kind::kUserDefined) continue;
    AddedToken& token = tokens.emplace_back();
    token.content = piece.text;
    token.special = piece.kind == Kind::kControl;
  }
  return tokens;
}

Result<std::string> SentencePieceDocument(const SentencePieceModel& model,
                                          const TokenizerClass& of_class,
                                          const ClassArguments& arguments) {
  const bool is_bpe =
      of_class.model.empty() ? model.algorithm != Algorithm::kUnigram : of_class.model == "BPE";
  std::vector<std::string_view> texts = TextsOf(model);
  if (is_bpe) {
    const std::vector<Merge> merges = GenerateMerges(texts);
    if (of_class.model.empty()) ReplacePlaceholders(arguments.tokens, texts);
    return BpeDocument(texts, merges);
  }
  std::vector<ScoredPiece> pieces;
  pieces.reserve(model.pieces.size());
  for (const SentencePieceModel::Piece& piece : model.pieces) {
    pieces.push_back({std::string(piece.text), piece.score});
  }
  if (of_class.arrange_pieces != nullptr) {
    RETURN_IF_ERROR(of_class.arrange_pieces(arguments, pieces));
  }
  return UnigramDocument(pieces);
}

}  // namespace embedding
