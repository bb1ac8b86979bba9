// The parts that a Tokenizer is made of.
#pragma once

#include <memory>
#include <string_view>
#include <vector>

#include "base/json_value.h"
#include "base/result.h"
#include "text/added_tokens.h"
#include "text/decoder.h"
#include "text/model.h"
#include "text/normalizer.h"
#include "text/post_processor.h"
#include "text/pre_tokenizer.h"
#include "text/tokenizer.h"
#include "text/tokenizer_overrides.h"

namespace embedding {

struct TokenizerComponents {
  std::vector<std::unique_ptr<Normalizer>> normalizers;
  std::vector<std::unique_ptr<PreTokenizer>> pre_tokenizers;
  std::unique_ptr<Model> model;
  PostProcessor post_processor;
  std::vector<AddedToken> added_tokens;
  Decoder decoder;
  TruncationSide truncation_side = TruncationSide::kRight;
  bool split_special_tokens = false;
};

// `document` is a tokenizer.json. Errors: kModelLoad with the path in the document of what cannot
// be used.
Result<TokenizerComponents> ParseComponents(const JsonValue& document,
                                            const TokenizerOverrides& overrides);

}  // namespace embedding
