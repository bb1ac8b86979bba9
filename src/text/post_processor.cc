#include "text/post_processor.h"

#include <algorithm>

namespace embedding {
namespace {

// How many tokens of each sequence stay.
struct Kept {
  size_t first;
  size_t second;
};

// How many tokens the library counts in a sequence of a pair: it stops tokenising after the word
// that reaches the limit, from the side that is kept. This decides which of two sequences that are
// both far too long it takes for the longer one.
size_t CountUpTo(const TokenSequence& sequence, const EncodeOptions& options) {
  size_t count = 0;
  const auto add_is_last = [&](const TokenSequence::WordTokens& word) {
    count += word.count;
    return !word.added && count >= options.max_tokens;
  };
  if (options.truncation_side == TruncationSide::kRight) {
    (void)std::any_of(sequence.words.begin(), sequence.words.end(), add_is_last);
  } else {
    (void)std::any_of(sequence.words.rbegin(), sequence.words.rend(), add_is_last);
  }
  return count;
}

// "longest_first": the longer sequence is cut to what the shorter leaves, or both to one half.
Kept CutPair(size_t first, size_t second, size_t limit) {
  if (first + second <= limit) return {first, second};
  const bool swapped = first > second;
  size_t shorter = std::min(first, second);
  size_t longer = shorter > limit ? shorter : std::max(shorter, limit - shorter);
  if (shorter + longer > limit) {
    shorter = limit / 2;
    longer = shorter + (limit % 2);
  }
  return swapped ? Kept{longer, shorter} : Kept{shorter, longer};
}

Kept FindKept(const TokenSequence& first, const TokenSequence* second, size_t special_tokens,
              const EncodeOptions& options) {
  const size_t first_size = first.ids.size();
  const size_t second_size = second == nullptr ? 0 : second->ids.size();
  if (options.max_tokens == 0) return {first_size, second_size};
  const size_t limit = options.max_tokens - std::min(options.max_tokens, special_tokens);
  if (second == nullptr) return {std::min(first_size, limit), 0};
  return CutPair(CountUpTo(first, options), CountUpTo(*second, options), limit);
}

// The offsets of a token without the white space at its ends.
CharRange Trim(CharRange range, TokenSequence::Spaces spaces, bool is_first, OffsetTrim trim) {
  const bool space_is_added =
      trim.adds_prefix_space && spaces.leading == 1 && (is_first || range.begin == 0);
  if (!space_is_added) range.begin = std::min(range.begin + spaces.leading, range.end);
  if (range.end >= spaces.trailing) range.end = std::max(range.end - spaces.trailing, range.begin);
  return range;
}

void Append(const TokenSequence& sequence, size_t kept, const Template::Piece& piece,
            const PostProcessor& processor, const EncodeOptions& options, Encoding& out) {
  const size_t begin =
      options.truncation_side == TruncationSide::kLeft ? sequence.ids.size() - kept : 0;
  const auto from = static_cast<ptrdiff_t>(begin);
  const auto to = static_cast<ptrdiff_t>(begin + kept);
  out.ids.insert(out.ids.end(), sequence.ids.begin() + from, sequence.ids.begin() + to);
  out.type_ids.resize(out.ids.size(), piece.type_id);
  out.special_mask.resize(out.ids.size(), 0);
  if (!options.with_offsets) return;
  for (size_t i = begin; i < begin + kept; ++i) {
    CharRange range = sequence.offsets[i];
    for (const OffsetTrim trim : processor.trims) {
      range = Trim(range, sequence.spaces[i], i == begin, trim);
    }
    out.offsets.push_back(range);
  }
}

// Where the special tokens alone are more than the limit, no text is left, and not all of them
// stay: a model has no positions for more.
void Shorten(size_t max_tokens, Encoding& out) {
  if (max_tokens == 0 || out.ids.size() <= max_tokens) return;
  out.ids.resize(max_tokens);
  out.type_ids.resize(max_tokens);
  out.special_mask.resize(max_tokens);
  out.offsets.resize(std::min(out.offsets.size(), max_tokens));
}

}  // namespace

void TokenSequence::Clear() {
  ids.clear();
  offsets.clear();
  spaces.clear();
  words.clear();
}

TemplateSize Template::Size() const {
  TemplateSize size;
  for (const Piece& piece : pieces) {
    if (piece.kind == Piece::Kind::kSpecial) ++size.special_tokens;
    size.types = std::max(size.types, static_cast<size_t>(piece.type_id) + 1);
  }
  return size;
}

Encoding PostProcessor::Process(const TokenSequence& first, const TokenSequence* second,
                                const EncodeOptions& options) const {
  const Template& format = second == nullptr ? single : pair;
  const size_t special_tokens = options.add_special_tokens ? format.Size().special_tokens : 0;
  const Kept kept = FindKept(first, second, special_tokens, options);
  Encoding out;
  const size_t expected = kept.first + kept.second + special_tokens;
  out.ids.reserve(expected);
  out.type_ids.reserve(expected);
  out.special_mask.reserve(expected);
  if (options.with_offsets) out.offsets.reserve(expected);
  out.untruncated_tokens = special_tokens;
  for (const Template::Piece& piece : format.pieces) {
    switch (piece.kind) {
      case Template::Piece::Kind::kFirst:
        Append(first, kept.first, piece, *this, options, out);
        out.untruncated_tokens += first.ids.size();
        break;
      case Template::Piece::Kind::kSecond:
        if (second == nullptr) break;
        Append(*second, kept.second, piece, *this, options, out);
        out.untruncated_tokens += second->ids.size();
        break;
      case Template::Piece::Kind::kSpecial:
        if (!options.add_special_tokens) break;
        out.ids.push_back(piece.id);
        out.type_ids.push_back(piece.type_id);
        out.special_mask.push_back(1);
        if (options.with_offsets) out.offsets.push_back({0, 0});
        break;
    }
  }
  Shorten(options.max_tokens, out);
  return out;
}

}  // namespace embedding
