// The tokens of a template in Jinja, as transformers sets it up: trim_blocks and lstrip_blocks.
#pragma once

#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "base/result.h"

namespace embedding::jinja {

struct Token {
  enum Kind : uint8_t {
    kData,         // outside of tags; the text
    kOutputBegin,  // {{
    kOutputEnd,    // }}
    kBlockBegin,   // {%
    kBlockEnd,     // %}
    kName,
    kString,  // without quotes and escapes
    kInteger,
    kOperator,  // "==", "|", "("
    kEnd,
  };
  Kind kind = kEnd;
  std::string text = {};
  size_t line = 0;
};

// Comments are left out. The last token is kEnd. Errors: kModelLoad, naming the line.
Result<std::vector<Token>> Tokenize(std::string_view source);

}  // namespace embedding::jinja
