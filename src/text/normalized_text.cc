#include "text/normalized_text.h"

#include <algorithm>
#include <utility>

#include "base/utf8.h"

namespace embedding {

void NormalizedText::Reset(bool track) {
  text.clear();
  origin.clear();
  tracked = track;
}

uint32_t NormalizedText::Assign(std::string_view input, uint32_t first_char, bool track) {
  Reset(track);
  text = input;
  if (!tracked) return first_char;
  origin.reserve(input.size());
  uint32_t number = first_char;
  for (size_t i = 0; i < input.size(); ++number) {
    const size_t size_bytes = Utf8Length(static_cast<unsigned char>(input[i]));
    origin.insert(origin.end(), size_bytes, CharRange{number, number + 1});
    i += size_bytes;
  }
  return number;
}

void NormalizedText::AppendAt(char32_t c, const NormalizedText& source, size_t from) {
  AppendUtf8(c, text);
  if (tracked) origin.resize(text.size(), source.origin[from]);
}

void NormalizedText::Swap(NormalizedText& other) noexcept {
  text.swap(other.text);
  origin.swap(other.origin);
  std::swap(tracked, other.tracked);
}

void AppendChanges(const NormalizedText& source, size_t begin, std::span<const CharChange> changes,
                   NormalizedText& out) {
  size_t at = begin;  // the old text's next character
  const auto advance = [&] {
    if (at < source.text.size()) at += Utf8Length(static_cast<unsigned char>(source.text[at]));
  };
  for (const CharChange& c : changes) {
    AppendUtf8(c.value, out.text);
    if (!out.tracked) continue;
    const bool inserted = c.change > 0;
    const size_t from = inserted && at > 0 ? at - 1 : std::min(at, source.origin.size() - 1);
    out.origin.resize(out.text.size(), source.origin[from]);
    if (inserted) continue;
    for (int32_t consumed = 0; consumed <= -c.change; ++consumed) advance();
  }
}

}  // namespace embedding
