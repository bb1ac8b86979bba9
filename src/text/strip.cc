#include "text/strip.h"

#include "base/utf8.h"

namespace embedding {
namespace {

// Python's str.isspace(): bidirectional type WS, B or S, or category Zs.
bool IsPythonSpace(char32_t c) {
  return (c >= 0x09 && c <= 0x0D) || (c >= 0x1C && c <= 0x20) || c == 0x85 || c == 0xA0 ||
         c == 0x1680 || (c >= 0x2000 && c <= 0x200A) || c == 0x2028 || c == 0x2029 || c == 0x202F ||
         c == 0x205F || c == 0x3000;
}

}  // namespace

std::string_view StripWhitespace(std::string_view text) {
  while (!text.empty()) {
    const CodePoint first = DecodeUtf8(text, 0);
    if (!IsPythonSpace(first.value)) break;
    text.remove_prefix(first.size_bytes);
  }
  while (!text.empty()) {
    size_t start = text.size() - 1;
    while ((static_cast<unsigned char>(text[start]) & 0xC0) == 0x80) --start;
    if (!IsPythonSpace(DecodeUtf8(text, start).value)) break;
    text = text.substr(0, start);
  }
  return text;
}

}  // namespace embedding
