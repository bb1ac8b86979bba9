// SentencePieceModel: what is of use here in a file of the sentencepiece library
// (sentencepiece.bpe.model, spiece.model, spm.model, tokenizer.model), a ModelProto of its
// sentencepiece_model.proto.
//
// How that library itself cuts a text is of no account: transformers makes a tokenizer of the
// `tokenizers` library out of the pieces, whose normalizer takes the table of characters and none
// of the options beside it.
#pragma once

#include <cstdint>
#include <string_view>
#include <vector>

#include "base/result.h"

namespace embedding {

// All texts are views of the file's bytes.
struct SentencePieceModel {
  enum class Algorithm : uint8_t { kUnigram = 1, kBpe = 2, kWord = 3, kChar = 4 };
  struct Piece {
    enum class Kind : uint8_t {
      kNormal = 1,
      kUnknown = 2,
      kControl = 3,      // <s>, which no text contains
      kUserDefined = 4,  // is not cut, wherever a text contains it
      kUnused = 5,
      kByte = 6  // <0x0A>, of what no piece has
    };
    std::string_view text;  // not empty, valid UTF-8
    float score = 0;        // finite
    Kind kind = Kind::kNormal;
  };

  std::vector<Piece> pieces;  // by id; at least one. Texts may repeat
  Algorithm algorithm = Algorithm::kUnigram;
  bool byte_fallback = false;
  // Below 0: none. They need not be among the pieces.
  int32_t unk_id = 0;
  int32_t bos_id = 1;
  int32_t eos_id = 2;
  std::string_view unk_piece = "<unk>";
  std::string_view bos_piece = "<s>";
  std::string_view eos_piece = "</s>";
  // A PrecompiledCharsmap; empty if texts are not normalised.
  std::string_view precompiled_charsmap;
};

// Errors: kModelLoad, for what is no such file, or is cut short; a piece that is empty or not
// UTF-8; a score that is not finite; an algorithm or a kind of piece of which nothing is known.
Result<SentencePieceModel> ReadSentencePieceModel(std::string_view file);

}  // namespace embedding
