// The Precompiled normalizer of XLM-RoBERTa, T5 and other SentencePiece models.
//
// The text is cut into grapheme clusters. A cluster of fewer than six bytes is looked up in the
// charsmap as a whole; if that gives nothing, or the cluster is longer, each of its characters is.
// What gives nothing stays.
//
// Cutting clusters and looking up is slow, and most characters need neither. A character is inert
// if it starts no cluster with another inert character and the charsmap leaves it alone: of a run
// of inert characters nothing changes, up to the last one, which may begin a cluster with what
// follows. For the Basic Multilingual Plane this is known from a table made at load.
#include <algorithm>
#include <array>
#include <cstdint>
#include <utility>
#include <vector>

#include "base/utf8.h"
#include "text/grapheme.h"
#include "text/normalizer.h"
#include "text/unicode.h"

namespace embedding {
namespace {

using enum GraphemeClass;

constexpr size_t kWholeClusterBytes = 6;

// Whether no two characters of such classes ever form a cluster.
bool StandsAlone(GraphemeClass c) {
  return c == kOther || c == kHangulLv || c == kHangulLvt || c == kPictographic || c == kConsonant;
}

class PrecompiledNormalizer : public Normalizer {
 public:
  explicit PrecompiledNormalizer(PrecompiledCharsmap charsmap) : charsmap_(std::move(charsmap)) {
    std::string bytes;
    for (char32_t c = 0; c < kTabled; ++c) {
      const bool is_surrogate = c >= 0xD800 && c <= 0xDFFF;
      bytes.clear();
      if (!is_surrogate) AppendUtf8(c, bytes);
      action_[c] = is_surrogate ? Action::kJoins : FindAction(c, bytes);
    }
  }

  void Apply(NormalizedText& text, NormalizedText& spare) const override {
    const std::string_view in = text.text;
    size_t position = SkipInert(in, 0);
    if (position == in.size()) return;
    spare.Reset(text.tracked);
    spare.text.reserve(in.size() + (in.size() / 8));
    std::vector<CharChange> changes;  // only if tracked
    if (text.tracked) Keep(in.substr(0, position), changes);
    spare.text.append(in, 0, position);
    while (position < in.size()) {
      const size_t cluster_end = GraphemeClusterEnd(in, position);
      Normalize(in.substr(position, cluster_end - position), spare, changes);
      position = SkipInert(in, cluster_end);
      const std::string_view inert = in.substr(cluster_end, position - cluster_end);
      spare.text.append(inert);
      if (text.tracked) Keep(inert, changes);
    }
    if (text.tracked) {
      spare.Reset(true);
      AppendChanges(text, 0, changes, spare);
    }
    text.Swap(spare);
  }

  size_t max_growth() const override {
    return std::max<size_t>(1, charsmap_.max_replacement_bytes());
  }

 private:
  static constexpr char32_t kTabled = 0x10000;

  enum class Action : uint8_t {
    kInert,
    kMapped,  // stands alone, and the charsmap replaces it
    kJoins,   // may form a cluster with what is before it
  };

  Action FindAction(char32_t c, std::string_view bytes) const {
    if (!StandsAlone(CharTable::Get()[c].grapheme_class())) return Action::kJoins;
    return charsmap_.Transform(bytes) ? Action::kMapped : Action::kInert;
  }

  // The end of the characters from `position` (where a cluster begins) that nothing happens to.
  size_t SkipInert(std::string_view text, size_t position) const {
    size_t last_inert = position;
    while (position < text.size()) {
      const CodePoint c = DecodeUtf8(text, position);
      const Action action = c.value < kTabled
                                ? action_[c.value]
                                : FindAction(c.value, text.substr(position, c.size_bytes));
      if (action == Action::kJoins) return last_inert;
      if (action == Action::kMapped) return position;
      last_inert = position;
      position += c.size_bytes;
    }
    return position;
  }

  void Normalize(std::string_view cluster, NormalizedText& out,
                 std::vector<CharChange>& changes) const {
    if (cluster.size() < kWholeClusterBytes) {
      if (const auto replacement = charsmap_.Transform(cluster)) {
        Replace(cluster, *replacement, out, changes);
        return;
      }
    }
    for (size_t i = 0; i < cluster.size();) {
      const size_t size_bytes = Utf8Length(static_cast<unsigned char>(cluster[i]));
      const std::string_view part = cluster.substr(i, size_bytes);
      i += size_bytes;
      if (const auto replacement = charsmap_.Transform(part)) {
        Replace(part, *replacement, out, changes);
      } else {
        out.text.append(part);
        if (out.tracked) Keep(part, changes);
      }
    }
  }

  static void Keep(std::string_view part, std::vector<CharChange>& changes) {
    for (size_t i = 0; i < part.size();) {
      const CodePoint c = DecodeUtf8(part, i);
      changes.push_back({c.value, 0});
      i += c.size_bytes;
    }
  }

  // The library's rule: new characters take the places of old ones; those too many count as
  // inserted at the end; those too few as removed after the last character so far, whichever
  // that is (and not at all, if there is none).
  static void Replace(std::string_view from, std::string_view to, NormalizedText& out,
                      std::vector<CharChange>& changes) {
    out.text.append(to);
    if (!out.tracked) return;
    const size_t kept = changes.size();
    Keep(to, changes);
    const auto count = [](std::string_view text) {
      return std::count_if(text.begin(), text.end(),
                           [](char c) { return (static_cast<unsigned char>(c) & 0xC0) != 0x80; });
    };
    const auto added = static_cast<ptrdiff_t>(changes.size() - kept) - count(from);
    for (ptrdiff_t i = 0; i < added; ++i)
      changes[changes.size() - 1 - static_cast<size_t>(i)].change = 1;
    if (added < 0 && !changes.empty()) changes.back().change += static_cast<int32_t>(added);
  }

  PrecompiledCharsmap charsmap_;
  std::array<Action, kTabled> action_;
};

}  // namespace

std::unique_ptr<Normalizer> MakePrecompiledNormalizer(PrecompiledCharsmap charsmap) {
  return std::make_unique<PrecompiledNormalizer>(std::move(charsmap));
}

}  // namespace embedding
