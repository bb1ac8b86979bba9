// NormalizedText: a text on its way to the model, with where each of its bytes came from.
//
// `origin` runs parallel to the bytes of `text` when offsets are wanted (`tracked`), else it is
// empty: all bytes of a character have the origin of that character. The rules by which changes
// keep the origins are those of NormalizedString in the `tokenizers` library:
//   - what replaces a character has its origin;
//   - what is inserted has the origin of the character before it;
//   - what is removed takes its origin away.
#pragma once

#include <cstddef>
#include <cstdint>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "text/tokenizer.h"

namespace embedding {

struct NormalizedText {
  std::string text;
  std::vector<CharRange> origin;
  bool tracked = false;

  // An empty text that tracks, or not.
  void Reset(bool track);
  // The raw `input`, whose first character is number first_char of the whole. Returns the number of
  // the character after it (first_char, if not tracked).
  uint32_t Assign(std::string_view input, uint32_t first_char, bool track);

  // Appends source's bytes begin..end with their origins.
  void AppendFrom(const NormalizedText& source, size_t begin, size_t end) {
    text.append(source.text, begin, end - begin);
    if (tracked) {
      origin.insert(origin.end(), source.origin.begin() + static_cast<ptrdiff_t>(begin),
                    source.origin.begin() + static_cast<ptrdiff_t>(end));
    }
  }
  // Appends bytes that have the origin of source's byte at `from`.
  void AppendAt(std::string_view bytes, const NormalizedText& source, size_t from) {
    text.append(bytes);
    if (tracked) origin.insert(origin.end(), bytes.size(), source.origin[from]);
  }
  void AppendAt(char32_t c, const NormalizedText& source, size_t from);

  void Swap(NormalizedText& other) noexcept;
};

// A character of a new text made out of an old one: what `change` says of it is
//    0   it takes the place of the old text's next character,
//    1   it is inserted,
//   -n   it takes the place of the next character, and n more after that are removed.
struct CharChange {
  char32_t value;
  int32_t change;
};

// Appends to `out` the characters of `changes` in order, which take the places of those of `source`
// from its byte `begin` on.
void AppendChanges(const NormalizedText& source, size_t begin, std::span<const CharChange> changes,
                   NormalizedText& out);

}  // namespace embedding
