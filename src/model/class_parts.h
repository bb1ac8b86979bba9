// The parts of a tokenizer.json as each tokenizer class of transformers makes them
// (tokenizer_classes.h): "model" but for its vocabulary, "normalizer", "pre_tokenizer", "decoder".
//
// Errors: kModelLoad for an argument that is not of the type it must be, naming file and field.
#pragma once

#include <vector>

#include "base/json_writer.h"
#include "base/result.h"
#include "model/tokenizer_classes.h"

namespace embedding {

// Of TokenizersBackend, for a SentencePiece model (build_tokenizer_from_spm_proto).
Status MakePlainParts(const ClassArguments& arguments, JsonWriter& json);
Status MakeBertParts(const ClassArguments& arguments, JsonWriter& json);     // MPNetTokenizer's too
Status MakeRobertaParts(const ClassArguments& arguments, JsonWriter& json);  // GPT2Tokenizer's too
Status MakeQwen2Parts(const ClassArguments& arguments, JsonWriter& json);
Status MakeXlmRobertaParts(const ClassArguments& arguments, JsonWriter& json);
Status MakeCamembertParts(const ClassArguments& arguments, JsonWriter& json);
Status MakeT5Parts(const ClassArguments& arguments, JsonWriter& json);
Status MakeAlbertParts(const ClassArguments& arguments, JsonWriter& json);
Status MakeDebertaV2Parts(const ClassArguments& arguments, JsonWriter& json);
Status MakeLlamaParts(const ClassArguments& arguments, JsonWriter& json);
Status MakeGemmaParts(const ClassArguments& arguments, JsonWriter& json);

// The pieces of a SentencePiece model as a class numbers them. Errors: also where a token that has
// a place among them is null.
Status ArrangeXlmRobertaPieces(const ClassArguments& arguments, std::vector<ScoredPiece>& pieces);
Status ArrangeCamembertPieces(const ClassArguments& arguments, std::vector<ScoredPiece>& pieces);
Status ArrangeT5Pieces(const ClassArguments& arguments, std::vector<ScoredPiece>& pieces);

// additional_special_tokens of a class that has some of its own.
Status AddCamembertTokens(const JsonValue& config, TokenList& tokens);
Status AddT5Tokens(const JsonValue& config, TokenList& tokens);

}  // namespace embedding
