// What some tokenizers do to a text before anything else.
#pragma once

#include <string_view>

namespace embedding {

// `text` without white space at its ends, as Python's str.strip() cuts it. The XLM-RoBERTa
// tokenizer of transformers 5 has the same effect, while its tokenizer.json alone makes a piece of
// its own, "▁", of white space at the end. Valid UTF-8.
std::string_view StripWhitespace(std::string_view text);

}  // namespace embedding
