// NFC, NFD, NFKC and NFKD, with the origins that the `unicode-normalization-alignments` crate
// gives: a character's decomposition takes its place (the rest of it is inserted), sorting marks
// into canonical order moves characters but not origins, and a composite removes what it swallowed.
//
// Nearly all of a text is in a normal form already. Of a run of inert characters (see categories.h)
// nothing changes; the others are normalised together with the inert one before them, which a mark
// may compose with.
#include <algorithm>
#include <cstddef>
#include <string_view>
#include <utility>
#include <vector>

#include "base/utf8.h"
#include "text/categories.h"
#include "text/normalizer.h"
#include "text/unicode.h"

namespace embedding {
namespace {

struct Mark {
  CharChange change;
  uint8_t combining_class;
};

// The canonical or compatible decomposition of `text`, in canonical order.
void DecomposeText(std::string_view text, bool compatible, std::vector<Mark>& out) {
  out.clear();
  size_t unsorted = 0;  // since the last character of class 0
  const auto sort_marks = [&] {
    if (out.size() - unsorted < 2) return;
    std::stable_sort(
        out.begin() + static_cast<ptrdiff_t>(unsorted), out.end(),
        [](const Mark& a, const Mark& b) { return a.combining_class < b.combining_class; });
  };
  for (size_t i = 0; i < text.size();) {
    const CodePoint c = DecodeUtf8(text, i);
    i += c.size_bytes;
    const Decomposition parts = Decompose(c.value, compatible);
    for (size_t k = 0; k < parts.size; ++k) {
      const uint8_t combining_class = CombiningClass(parts.chars[k]);
      if (combining_class == 0) sort_marks();
      out.push_back({{parts.chars[k], k == 0 ? 0 : 1}, combining_class});
      if (combining_class == 0) unsorted = out.size();
    }
  }
  sort_marks();
}

// Composes in place, as far as Unicode's canonical composition goes.
void ComposeText(std::vector<Mark>& chars) {
  constexpr size_t kNone = SIZE_MAX;
  size_t size = 0;         // of the result, which is written over the input
  size_t starter = kNone;  // its last character of class 0
  for (size_t i = 0; i < chars.size(); ++i) {
    const Mark c = chars[i];
    if (starter != kNone) {
      // Blocked by a mark in between, unless that has a smaller class.
      const bool adjacent = starter + 1 == size;
      const bool blocked = !adjacent && chars[size - 1].combining_class >= c.combining_class;
      const char32_t composite = blocked ? 0 : Compose(chars[starter].change.value, c.change.value);
      if (composite != 0) {
        chars[starter].change.value = composite;
        chars[starter].change.change += c.change.change - 1;
        continue;
      }
    }
    if (c.combining_class == 0) starter = size;
    chars[size++] = c;
  }
  chars.resize(size);
}

class NormalFormNormalizer : public Normalizer {
 public:
  explicit NormalFormNormalizer(NormalForm form)
      : compatible_(form == NormalForm::kNfkc || form == NormalForm::kNfkd),
        composed_(form == NormalForm::kNfc || form == NormalForm::kNfkc) {}

  void Apply(NormalizedText& text, NormalizedText& spare) const override {
    const std::string_view in = text.text;
    size_t begin = FindChanging(in, 0);
    if (begin == in.size()) return;
    spare.Reset(text.tracked);
    spare.text.reserve(in.size() + (in.size() / 8));
    std::vector<Mark> marks;
    std::vector<CharChange> changes;
    size_t done = 0;
    while (begin < in.size()) {
      const size_t end = SkipChanging(in, begin);
      spare.AppendFrom(text, done, begin);
      DecomposeText(in.substr(begin, end - begin), compatible_, marks);
      if (composed_) ComposeText(marks);
      changes.resize(marks.size());
      std::transform(marks.begin(), marks.end(), changes.begin(),
                     [](const Mark& mark) { return mark.change; });
      AppendChanges(text, begin, changes, spare);
      done = end;
      begin = FindChanging(in, end);
    }
    spare.AppendFrom(text, done, in.size());
    text.Swap(spare);
  }

 private:
  bool IsInert(char32_t c) const {
    if (!composed_) return !CharTable::Get()[c].is_unstable();
    const CharCategory properties = categories_[c];
    return compatible_ ? properties.is_nfkc_inert() : properties.is_nfc_inert();
  }

  // The inert character before the first that is not, or that one if there is none before it; the
  // text's end if all of it is inert. At `position` an inert character begins, or the text.
  size_t FindChanging(std::string_view text, size_t position) const {
    size_t previous = position;
    while (position < text.size()) {
      // All of ASCII is inert.
      if (static_cast<unsigned char>(text[position]) < 0x80) {
        previous = position++;
        continue;
      }
      const CodePoint c = DecodeUtf8(text, position);
      if (!IsInert(c.value)) return previous;
      previous = position;
      position += c.size_bytes;
    }
    return position;
  }

  // The first inert character behind the one at `position`, and behind those that are not inert.
  size_t SkipChanging(std::string_view text, size_t position) const {
    do {
      position += Utf8Length(static_cast<unsigned char>(text[position]));
    } while (position < text.size() && !IsInert(DecodeUtf8(text, position).value));
    return position;
  }

  const CodePointTable<CharCategory>& categories_ = Categories();
  bool compatible_;
  bool composed_;
};

}  // namespace

std::unique_ptr<Normalizer> MakeNormalFormNormalizer(NormalForm form) {
  return std::make_unique<NormalFormNormalizer>(form);
}

}  // namespace embedding
