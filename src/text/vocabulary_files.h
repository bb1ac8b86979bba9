// The files that held a vocabulary before there was tokenizer.json, each made into the "model" of
// such a document: its type, its vocabulary, its merges. What else a model says (unk_token,
// byte_fallback) those files do not have; transformers' classes do.
//
// The texts that come back are JSON documents {"version":"1.0","model":{...}}. Errors are
// kModelLoad and say in which line.
#pragma once

#include <span>
#include <string>
#include <string_view>

#include "base/json_value.h"
#include "base/result.h"
#include "text/merges.h"

namespace embedding {

// vocab.txt: a piece a line, whose number from 0 on is its id. White space at a line's end is no
// part of it (nor is the carriage return of a file of Windows'), an empty line is an empty piece,
// and of lines that are equal the last counts, as for the `tokenizers` library.
Result<std::string> WordPieceDocument(std::string_view vocab_txt);

// vocab.json, an object of pieces and their ids, and merges.txt: two pieces a line with a space
// between them, best first; lines that begin with "#version" count for nothing. Both pieces of a
// merge, and what comes of it, must be in the vocabulary.
Result<std::string> BpeDocument(const JsonValue& vocab_json, std::string_view merges_txt);

// A piece's place is its id. Of equal ones the last counts.
std::string BpeDocument(std::span<const std::string_view> pieces, std::span<const Merge> merges);

struct ScoredPiece {
  std::string text;
  double score = 0;  // finite
};
std::string UnigramDocument(std::span<const ScoredPiece> pieces);

}  // namespace embedding
