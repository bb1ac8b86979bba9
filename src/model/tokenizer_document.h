// The tokenizer of a model: its tokenizer.json, or the document that transformers would make of the
// files of before it, with what the model's tokenizer class puts in place of that.
#pragma once

#include <memory>
#include <string>

#include "base/json_value.h"
#include "base/result.h"
#include "model/tokenizer_config.h"
#include "text/tokenizer.h"
#include "text/tokenizer_overrides.h"

namespace embedding {

struct TokenizerDocument {
  // tokenizer.json; or of it no more than the "model", made of the vocabulary's files.
  JsonValue document;
  TokenizerOverrides overrides;
};

// Both functions' errors are kModelLoad, naming the file and what in it cannot be used.
Result<TokenizerDocument> ReadTokenizerDocument(const TokenizerConfig& config);
Result<std::unique_ptr<Tokenizer>> LoadTokenizer(const TokenizerConfig& config);

}  // namespace embedding
