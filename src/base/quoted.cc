#include "base/quoted.h"

#include <fmt/format.h>

#include <iterator>

namespace embedding {

std::string Printable(std::string_view text, size_t max_bytes) {
  std::string out;
  for (const char c : text.substr(0, max_bytes)) {
    if (c >= 0x20 && c < 0x7F) {
      out.push_back(c);
    } else {
      fmt::format_to(std::back_inserter(out), "\\x{:02x}", static_cast<unsigned char>(c));
    }
  }
  if (text.size() > max_bytes) out += "...";
  return out;
}

std::string Quoted(std::string_view text) { return fmt::format("\"{}\"", Printable(text, 120)); }

}  // namespace embedding
