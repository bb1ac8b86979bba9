// BPE: the characters of a word, merged two by two in the order in which the merges were learned.
//
// What a word's first symbols are: with ByteLevel its bytes; else its characters, and for those
// that are no pieces their bytes ("<0xE2>") or the unknown token.
//
// Models of SentencePiece have no pre-tokenizer, so that a word is a text. Such a word is cut where
// two characters meet that no merge ever joins (that of two pieces of which the left one ends with
// the first and the right one begins with the second): what is on either side merges as if it were
// alone. That makes words of nearly any text, which are short, and often met before.
#include <algorithm>
#include <cstddef>
#include <optional>
#include <string>
#include <utility>

#include "base/quoted.h"
#include "base/utf8.h"
#include "text/bpe_merger.h"
#include "text/byte_ids.h"
#include "text/byte_level.h"
#include "text/character_pairs.h"
#include "text/code_point_table.h"
#include "text/merge_table.h"
#include "text/model.h"
#include "text/word_cache.h"

namespace embedding {
namespace {

// A thread keeps its buffer from word to word, unless a word made it larger than this.
constexpr size_t kKeptSymbols = size_t{1} << 16;

class Bpe : public Model {
 public:
  Bpe(Vocabulary vocabulary, std::vector<MergeTable::Merge> merges, BpeOptions options,
      std::optional<int32_t> unk_id)
      : Model(std::move(vocabulary)),
        options_(std::move(options)),
        unk_id_(unk_id),
        character_ids_(FindCharacters()),
        fallback_ids_(FindFallbackBytes(this->vocabulary())),
        joined_(CanCut(merges) ? std::optional(FindJoined(merges)) : std::nullopt),
        merges_(std::move(merges)),
        cache_model_(WordCache::NewModel()) {}

  bool TakeBytes() override {
    if (!options_.continuing_subword_prefix.empty() || !options_.end_of_word_suffix.empty()) {
      return false;
    }
    byte_ids_ = FindByteLevelBytes(vocabulary());
    return byte_ids_.has_value();
  }

  void Tokenize(std::string_view word, uint32_t begin, std::vector<Token>& tokens) const override {
    if (byte_ids_ && word.size() == 1) {
      tokens.push_back({(*byte_ids_)[static_cast<unsigned char>(word.front())], begin, begin + 1});
      return;
    }
    if (byte_ids_ || !joined_) {
      TokenizePart(word, begin, tokens);
      return;
    }
    for (size_t done = 0; done < word.size();) {
      const CodePoint c = DecodeUtf8(word, done);
      const size_t end = FindSeam(word, done, c);
      const int32_t id = end - done == c.size_bytes ? character_ids_[c.value] : kNoPiece;
      if (id != kNoPiece) {
        tokens.push_back(
            {id, begin + static_cast<uint32_t>(done), begin + static_cast<uint32_t>(end)});
      } else {
        TokenizePart(word.substr(done, end - done), begin + static_cast<uint32_t>(done), tokens);
      }
      done = end;
    }
  }

  std::string_view TextOf(const Token& token, std::string_view) const override {
    return vocabulary().TextOf(token.id);
  }

 private:
  CodePointTable<int32_t> FindCharacters() const {
    std::vector<std::pair<char32_t, int32_t>> found;
    for (size_t id = 0; id < vocabulary().id_limit(); ++id) {
      const std::string_view text = vocabulary().TextOf(static_cast<int32_t>(id));
      if (text.empty()) continue;
      const CodePoint c = DecodeUtf8(text, 0);
      if (c.size_bytes == text.size()) found.emplace_back(c.value, static_cast<int32_t>(id));
    }
    std::sort(found.begin(), found.end());
    std::vector<CodePointRun<int32_t>> runs = {{0, kNoPiece}};
    for (const auto& [c, id] : found) {
      runs.push_back({c, id});
      runs.push_back({c + 1, kNoPiece});
    }
    return CodePointTable<int32_t>(runs);
  }

  // Whether the parts of a word are as they would be alone: not if what a character is depends on
  // its place, if characters may leave nothing, which moves the offsets of those behind them, or if
  // bytes or unknown characters merge.
  bool CanCut(const std::vector<MergeTable::Merge>& merges) const {
    if (!options_.continuing_subword_prefix.empty() || !options_.end_of_word_suffix.empty() ||
        options_.ignore_merges || !unk_id_) {
      return false;
    }
    std::vector<bool> is_text(vocabulary().id_limit(), true);
    is_text[static_cast<size_t>(*unk_id_)] = false;
    for (const int32_t id : fallback_ids_) {
      if (id != kNoPiece) is_text[static_cast<size_t>(id)] = false;
    }
    return std::all_of(merges.begin(), merges.end(), [&](const MergeTable::Merge& merge) {
      return is_text[static_cast<size_t>(merge.left)] && is_text[static_cast<size_t>(merge.right)];
    });
  }

  CharacterPairs FindJoined(const std::vector<MergeTable::Merge>& merges) const {
    CharacterPairs joined;
    for (const MergeTable::Merge& merge : merges) {
      const std::string_view left = vocabulary().TextOf(merge.left);
      const std::string_view right = vocabulary().TextOf(merge.right);
      if (left.empty() || right.empty()) continue;
      size_t last = left.size() - 1;
      while ((static_cast<unsigned char>(left[last]) & 0xC0) == 0x80) --last;
      joined.Add(DecodeUtf8(left, last).value, DecodeUtf8(right, 0).value);
    }
    return joined;
  }

  // The first place after `begin`, where the character c is, at which the word can be cut, or its
  // end.
  size_t FindSeam(std::string_view word, size_t begin, CodePoint c) const {
    for (size_t i = begin + c.size_bytes; i < word.size(); i += c.size_bytes) {
      const char32_t before = c.value;
      c = DecodeUtf8(word, i);
      // Behind an unknown character it may not: the next may be unknown too, and become one with
      // it.
      if (!joined_->Has(before, c.value) && character_ids_[before] != kNoPiece) return i;
    }
    return word.size();
  }

  void TokenizePart(std::string_view part, uint32_t begin, std::vector<Token>& tokens) const {
    const bool is_short = part.size() <= WordCache::kMaxBytes;
    if (is_short) {
      if (const auto* known = WordCache::OfThread().Find(cache_model_, part)) {
        uint32_t token_begin = begin;
        for (size_t i = 0; i < known->tokens; ++i) {
          const uint32_t token_end = begin + known->ends[i];
          tokens.push_back({known->ids[i], token_begin, token_end});
          token_begin = token_end;
        }
        return;
      }
    }
    const size_t before = tokens.size();
    Compute(part, begin, tokens);
    const size_t count = tokens.size() - before;
    if (!is_short || count > WordCache::kMaxTokens) return;
    WordCache::Entry& entry = WordCache::OfThread().Add(cache_model_, part);
    entry.tokens = static_cast<uint8_t>(count);
    for (size_t i = 0; i < count; ++i) {
      entry.ids[i] = tokens[before + i].id;
      entry.ends[i] = static_cast<uint8_t>(tokens[before + i].end - begin);
    }
  }

  void Compute(std::string_view part, uint32_t begin, std::vector<Token>& tokens) const {
    if (options_.ignore_merges) {
      if (const std::optional<int32_t> id = FindWhole(part)) {
        tokens.push_back({*id, begin, begin + static_cast<uint32_t>(part.size())});
        return;
      }
    }
    thread_local std::vector<BpeSymbol> symbols;
    symbols.clear();
    if (byte_ids_) {
      for (const char byte : part) {
        symbols.push_back({(*byte_ids_)[static_cast<unsigned char>(byte)], 1});
      }
    } else {
      AddCharacters(part, symbols);
    }
    MergeSymbols(merges_, symbols);
    uint32_t token_begin = begin;
    for (const BpeSymbol& symbol : symbols) {
      tokens.push_back({symbol.id, token_begin, token_begin + symbol.size_bytes});
      token_begin += symbol.size_bytes;
    }
    if (symbols.capacity() > kKeptSymbols) symbols = {};
  }

  std::optional<int32_t> FindWhole(std::string_view word) const {
    if (!byte_ids_) return vocabulary().IdOf(word);
    std::optional<DoubleArrayTrie::Node> node = vocabulary().trie().root();
    for (const char byte : word) {
      for (const char part : ByteCharacters()[static_cast<unsigned char>(byte)]) {
        if (!vocabulary().trie().Step(static_cast<unsigned char>(part), *node)) return std::nullopt;
      }
    }
    return node->has_value() ? std::optional(static_cast<int32_t>(node->value())) : std::nullopt;
  }

  // As `tokenizers` does it, to the order in which it gives unknown characters beside bytes.
  void AddCharacters(std::string_view part, std::vector<BpeSymbol>& symbols) const {
    uint32_t unknown_bytes = 0;  // of the characters that one unknown token is yet to stand for
    const auto add_unknown = [&] {
      if (unknown_bytes > 0) symbols.push_back({*unk_id_, unknown_bytes});
      unknown_bytes = 0;
    };
    for (size_t i = 0; i < part.size();) {
      const CodePoint c = DecodeUtf8(part, i);
      const auto size_bytes = static_cast<uint32_t>(c.size_bytes);
      const std::string_view bytes = part.substr(i, size_bytes);
      const int32_t id = IdOfCharacter(c.value, bytes, i == 0, i + size_bytes == part.size());
      i += size_bytes;
      if (id != kNoPiece) {
        add_unknown();
        symbols.push_back({id, size_bytes});
        continue;
      }
      if (options_.byte_fallback && AddBytes(bytes, symbols)) continue;
      if (!unk_id_) continue;
      if (!options_.fuse_unk) add_unknown();
      unknown_bytes += size_bytes;
    }
    add_unknown();
  }

  int32_t IdOfCharacter(char32_t c, std::string_view bytes, bool is_first, bool is_last) const {
    const std::string& prefix = options_.continuing_subword_prefix;
    const std::string& suffix = options_.end_of_word_suffix;
    const bool is_prefixed = !is_first && !prefix.empty();
    const bool is_suffixed = is_last && !suffix.empty();
    if (!is_prefixed && !is_suffixed) return character_ids_[c];
    std::string text = is_prefixed ? prefix : std::string();
    text += bytes;
    if (is_suffixed) text += suffix;
    return vocabulary().IdOf(text).value_or(kNoPiece);
  }

  bool AddBytes(std::string_view bytes, std::vector<BpeSymbol>& symbols) const {
    const auto id_of = [&](char byte) { return fallback_ids_[static_cast<unsigned char>(byte)]; };
    if (std::any_of(bytes.begin(), bytes.end(), [&](char b) { return id_of(b) == kNoPiece; })) {
      return false;
    }
    for (const char byte : bytes) symbols.push_back({id_of(byte), 1});
    return true;
  }

  BpeOptions options_;
  std::optional<int32_t> unk_id_;
  CodePointTable<int32_t> character_ids_;
  ByteIds fallback_ids_;
  std::optional<ByteIds> byte_ids_;       // where words come as bytes
  std::optional<CharacterPairs> joined_;  // where words can be cut between others
  MergeTable merges_;
  uint32_t cache_model_;
};

Error MergeError(size_t rank, const std::string& problem) {
  return Error{ErrorCode::kModelLoad, "merge " + std::to_string(rank) + " " + problem, ""};
}

Result<std::vector<MergeTable::Merge>> FindMerges(const Vocabulary& vocabulary,
                                                  const std::vector<MergePair>& pairs,
                                                  size_t prefix_bytes) {
  std::vector<MergeTable::Merge> merges;
  if (pairs.size() > MergeTable::kMaxMerges) {
    return Error{ErrorCode::kModelLoad, "there are more merges than are supported", ""};
  }
  merges.reserve(pairs.size());
  std::string merged;
  for (const auto& [left, right] : pairs) {
    const size_t rank = merges.size();
    if (right.size() < prefix_bytes) {
      return MergeError(rank, "has a right part shorter than continuing_subword_prefix");
    }
    merged.assign(left);
    merged += right.substr(prefix_bytes);
    const std::optional<int32_t> left_id = vocabulary.IdOf(left);
    const std::optional<int32_t> right_id = vocabulary.IdOf(right);
    const std::optional<int32_t> merged_id = vocabulary.IdOf(merged);
    if (!left_id || !right_id || !merged_id) {
      const std::string_view missing = !left_id ? left : !right_id ? right : merged;
      return MergeError(rank,
                        "needs the piece " + Quoted(missing) + ", which the vocabulary lacks");
    }
    merges.push_back({*left_id, *right_id, *merged_id});
  }
  return merges;
}

}  // namespace

Result<std::unique_ptr<Model>> MakeBpe(Vocabulary vocabulary, const std::vector<MergePair>& merges,
                                       const BpeOptions& options) {
  const bool changes_characters =
      !options.continuing_subword_prefix.empty() || !options.end_of_word_suffix.empty();
  if (options.byte_fallback && changes_characters) {
    return Error{ErrorCode::kModelLoad,
                 "byte_fallback together with a continuing_subword_prefix or end_of_word_suffix is "
                 "not supported",
                 ""};
  }
  std::optional<int32_t> unk_id;
  if (options.unk_token) {
    unk_id = vocabulary.IdOf(*options.unk_token);
    // With all bytes it is never needed. Some of GPT-2's kind name a token that is only added.
    if (!unk_id && !FindByteLevelBytes(vocabulary)) {
      return Error{ErrorCode::kModelLoad,
                   "the vocabulary lacks the unk_token " + Quoted(*options.unk_token), ""};
    }
  }
  ASSIGN_OR_RETURN(std::vector<MergeTable::Merge> found,
                   FindMerges(vocabulary, merges, options.continuing_subword_prefix.size()));
  return std::unique_ptr<Model>(
      std::make_unique<Bpe>(std::move(vocabulary), std::move(found), options, unk_id));
}

}  // namespace embedding
