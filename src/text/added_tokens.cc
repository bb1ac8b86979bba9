#include "text/added_tokens.h"

#include <algorithm>
#include <utility>

#include "base/utf8.h"
#include "text/unicode.h"

namespace embedding {
namespace {

// The start of the character that ends at `end` > 0.
size_t PreviousChar(std::string_view text, size_t end) {
  do {
    --end;
  } while ((static_cast<unsigned char>(text[end]) & 0xC0) == 0x80);
  return end;
}

bool IsWord(char32_t c) { return CharTable::Get()[c].is_word(); }

bool HasWordBefore(std::string_view text, size_t position) {
  return position > 0 && IsWord(DecodeUtf8(text, PreviousChar(text, position)).value);
}

bool HasWordAt(std::string_view text, size_t position) {
  return position < text.size() && IsWord(DecodeUtf8(text, position).value);
}

// Where the white space before `position` begins, but not before `limit`.
size_t SkipSpaceLeft(std::string_view text, size_t limit, size_t position) {
  while (position > limit) {
    const size_t previous = PreviousChar(text, position);
    if (!IsWhitespace(DecodeUtf8(text, previous).value)) break;
    position = previous;
  }
  return position;
}

size_t SkipSpaceRight(std::string_view text, size_t position) {
  while (position < text.size()) {
    const CodePoint c = DecodeUtf8(text, position);
    if (!IsWhitespace(c.value)) break;
    position += c.size_bytes;
  }
  return position;
}

}  // namespace

Result<AddedTokens> AddedTokens::Build(std::vector<AddedToken> tokens) {
  if (tokens.size() > DoubleArrayTrie::kMaxValue) {
    return Error{ErrorCode::kModelLoad, "there are more added tokens than are supported", ""};
  }
  AddedTokens added;
  std::vector<DoubleArrayTrie::Entry> entries;
  for (size_t i = 0; i < tokens.size(); ++i) {
    const std::string& content = tokens[i].content;
    if (content.empty()) {
      return Error{ErrorCode::kModelLoad,
                   "the added token of id " + std::to_string(tokens[i].id) +
                       " is empty once it is normalised",
                   ""};
    }
    entries.push_back({content, static_cast<uint32_t>(i)});
    added.is_first_byte_[static_cast<unsigned char>(content.front())] = true;
  }
  added.trie_ = DoubleArrayTrie::Build(std::move(entries));
  if (std::count(added.is_first_byte_.begin(), added.is_first_byte_.end(), true) == 1) {
    added.only_first_byte_ = tokens.front().content.front();
  }
  added.tokens_ = std::move(tokens);
  return added;
}

std::optional<AddedTokens::Match> AddedTokens::FindNext(std::string_view text,
                                                        size_t position) const {
  for (; position < text.size(); ++position) {
    if (only_first_byte_) {
      position = text.find(*only_first_byte_, position);
      if (position == std::string_view::npos) break;
    } else if (!is_first_byte_[static_cast<unsigned char>(text[position])]) {
      continue;
    }
    std::optional<Match> longest;
    DoubleArrayTrie::Node node = trie_.root();
    for (size_t i = position; i < text.size(); ++i) {
      if (!trie_.Step(static_cast<unsigned char>(text[i]), node)) break;
      if (node.has_value()) longest = Match{position, i + 1, &tokens_[node.value()]};
    }
    if (longest) return longest;
  }
  return std::nullopt;
}

void AddedTokens::Split(std::string_view text, std::vector<Part>& parts) const {
  parts.clear();
  size_t done = 0;
  size_t space_end = 0;  // of the last white space skipped to the right, to skip no space twice
  for (auto match = FindNext(text, 0); match; match = FindNext(text, match->end)) {
    const AddedToken& token = *match->token;
    size_t begin = match->begin;
    size_t end = match->end;
    if (token.single_word && (HasWordBefore(text, begin) || HasWordAt(text, end))) continue;
    if (token.lstrip) begin = std::max(SkipSpaceLeft(text, done, begin), done);
    if (token.rstrip) {
      end = end < space_end ? space_end : SkipSpaceRight(text, end);
      space_end = end;
    }
    if (begin >= end) continue;
    if (done < begin) parts.push_back({done, begin, Part::kNoToken});
    parts.push_back({begin, end, token.id});
    done = end;
  }
  if (done < text.size()) parts.push_back({done, text.size(), Part::kNoToken});
}

}  // namespace embedding
