// What a tokenizer class makes of a SentencePiece model.
#pragma once

#include <string>

#include "base/result.h"
#include "model/special_tokens.h"
#include "model/tokenizer_classes.h"
#include "text/sentencepiece_model.h"

namespace embedding {

// A document with the "model" alone, as in text/vocabulary_files.h: of the class's type whatever
// the file was trained for, since transformers looks at that only where the class has no type of
// its own. Errors: kModelLoad where one of the tokens among the pieces is null.
Result<std::string> SentencePieceDocument(const SentencePieceModel& model,
                                          const TokenizerClass& of_class,
                                          const ClassArguments& arguments);

// The pieces that are cut out of a text before it is tokenised, the control and user-defined ones:
// they are the class's additional_special_tokens.
TokenList AddedPieces(const SentencePieceModel& model);

}  // namespace embedding
