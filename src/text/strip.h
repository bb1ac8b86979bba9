// What sentence-transformers does to a text before it tokenises it.
#pragma once

#include <string_view>

namespace embedding {

// `text` without white space at its ends, as Python's str.strip() cuts it. sentence-transformers up
// to 5.1 calls that, and the XLM-RoBERTa tokenizer of transformers 5 has the same effect, while
// tokenizer.json alone makes a piece of its own, "▁", of white space at the end. Valid UTF-8.
std::string_view StripWhitespace(std::string_view text);

}  // namespace embedding
