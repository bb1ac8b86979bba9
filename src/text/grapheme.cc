#include "text/grapheme.h"

#include "base/utf8.h"
#include "text/unicode.h"

namespace embedding {
namespace {

using enum GraphemeClass;

// What has to be remembered of a cluster beyond its last character.
struct ClusterState {
  // A pictograph and what extends it, up to here; and whether a joiner came last (GB11).
  bool pictograph = false;
  bool pictograph_joined = false;
  // A consonant and what extends it, up to here; and whether a virama was among it (GB9c).
  bool conjunct = false;
  bool conjunct_linked = false;
  bool odd_regional_indicator = false;  // GB12, GB13

  void Add(GraphemeClass c) {
    pictograph_joined = pictograph && c == kZwj;
    pictograph =
        c == kPictographic || (pictograph && (c == kExtend || c == kLinker || c == kNonJoiner));
    conjunct_linked =
        conjunct && (c == kLinker || (conjunct_linked && (c == kExtend || c == kZwj)));
    conjunct = c == kConsonant || (conjunct && (c == kLinker || c == kExtend || c == kZwj));
    odd_regional_indicator = c == kRegionalIndicator && !odd_regional_indicator;
  }
};

bool IsControl(GraphemeClass c) { return c == kControl || c == kCr || c == kLf; }

// Whether `next` goes on with the cluster whose last character is of class `last`.
bool Joins(const ClusterState& state, GraphemeClass last, GraphemeClass next) {
  if (IsControl(last) || IsControl(next)) return last == kCr && next == kLf;  // GB3, GB4, GB5
  switch (next) {
    case kExtend:
    case kLinker:
    case kNonJoiner:
    case kZwj:
    case kSpacingMark:  // GB9, GB9a
      return true;
    case kHangulL:
    case kHangulLv:
    case kHangulLvt:  // GB6
      return last == kHangulL || last == kPrepend;
    case kHangulV:  // GB6, GB7
      return last == kHangulL || last == kHangulLv || last == kHangulV || last == kPrepend;
    case kHangulT:  // GB7, GB8
      return last == kHangulLv || last == kHangulV || last == kHangulLvt || last == kHangulT ||
             last == kPrepend;
    case kConsonant:  // GB9c
      return state.conjunct_linked || last == kPrepend;
    case kPictographic:  // GB11
      return state.pictograph_joined || last == kPrepend;
    case kRegionalIndicator:  // GB12, GB13
      return state.odd_regional_indicator || last == kPrepend;
    default:  // GB9b, GB999
      return last == kPrepend;
  }
}

}  // namespace

size_t GraphemeClusterEnd(std::string_view text, size_t position) {
  const CharTable& table = CharTable::Get();
  CodePoint c = DecodeUtf8(text, position);
  GraphemeClass last = table[c.value].grapheme_class();
  ClusterState state;
  state.Add(last);
  for (position += c.size_bytes; position < text.size(); position += c.size_bytes) {
    c = DecodeUtf8(text, position);
    const GraphemeClass next = table[c.value].grapheme_class();
    if (!Joins(state, last, next)) break;
    state.Add(next);
    last = next;
  }
  return position;
}

}  // namespace embedding
