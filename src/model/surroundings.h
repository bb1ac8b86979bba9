// What a tokenizer class puts around a text and a pair.
#pragma once

#include <optional>

#include "base/result.h"
#include "model/tokenizer_classes.h"
#include "text/tokenizer_overrides.h"

namespace embedding {

// Nothing where that is the "post_processor" of the document, be there one or not. Without a
// tokenizer.json add_bos_token and add_eos_token count, which transformers does not read beside
// one. Errors: kModelLoad where one of the class's own tokens is null.
Result<std::optional<NamedPostProcessor>> SurroundingsOf(const TokenizerClass& of_class,
                                                         const ClassArguments& arguments,
                                                         bool document_has_them);

}  // namespace embedding
