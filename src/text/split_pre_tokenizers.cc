// The pre-tokenizers that cut at matches of a pattern: Split, Digits, Punctuation, Whitespace, and
// GPT-2's part of ByteLevel. None of them changes the text.
#include <cstddef>
#include <string>
#include <string_view>
#include <utility>

#include "base/utf8.h"
#include "text/categories.h"
#include "text/pre_tokenizer.h"
#include "text/unicode.h"

namespace embedding {
namespace {

// Makes words of a text's pieces: matches, and what is between them.
class PieceJoiner {
 public:
  PieceJoiner(SplitBehavior behavior, bool inverts, Words& words)
      : behavior_(behavior), inverts_(inverts), words_(words) {}

  // The pieces of one word come in order, and together are that word.
  void BeginWord() {
    is_first_ = true;
    last_matched_ = false;
  }
  void Take(size_t begin, size_t end, bool matched) {
    matched = matched != inverts_;
    switch (behavior_) {
      case SplitBehavior::kRemoved:
        if (!matched) words_.Add(begin, end);
        return;
      case SplitBehavior::kIsolated:
        words_.Add(begin, end);
        return;
      case SplitBehavior::kMergedWithPrevious:
        Append(begin, end, matched && !last_matched_);
        break;
      case SplitBehavior::kMergedWithNext:
        Append(begin, end, !matched && last_matched_);
        break;
      case SplitBehavior::kContiguous:
        Append(begin, end, matched == last_matched_);
        break;
    }
    last_matched_ = matched;
  }

 private:
  void Append(size_t begin, size_t end, bool joins) {
    if (joins && !is_first_) {
      words_.words.back().end = static_cast<uint32_t>(end);
    } else {
      words_.Add(begin, end);
    }
    is_first_ = false;
  }

  SplitBehavior behavior_;
  bool inverts_;
  Words& words_;
  bool is_first_ = true;
  bool last_matched_ = false;
};

// `Finder::ForEachMatch(text, take)` calls take(begin, end) for each match, in order.
template <typename Finder>
class Split : public PreTokenizer {
 public:
  Split(Finder finder, SplitBehavior behavior, bool inverts)
      : finder_(std::move(finder)), behavior_(behavior), inverts_(inverts) {}

  void Apply(Words& words, Words& spare) const override {
    spare.words.clear();
    PieceJoiner joiner(behavior_, inverts_, spare);
    for (const Word& word : words.words) {
      if (word.id != Word::kForModel) {
        spare.words.push_back(word);
        continue;
      }
      joiner.BeginWord();
      size_t done = word.begin;
      finder_.ForEachMatch(words.TextOf(word), [&](size_t begin, size_t end) {
        begin += word.begin;
        if (done < begin) joiner.Take(done, begin, false);
        done = word.begin + end;
        joiner.Take(begin, done, true);
      });
      if (done < word.end) joiner.Take(done, word.end, false);
    }
    words.words.swap(spare.words);
  }

 private:
  Finder finder_;
  SplitBehavior behavior_;
  bool inverts_;
};

struct LiteralFinder {
  std::string literal;

  template <typename Take>
  void ForEachMatch(std::string_view text, Take take) const {
    for (size_t at = text.find(literal); at != std::string_view::npos;
         at = text.find(literal, at + literal.size())) {
      take(at, at + literal.size());
    }
  }
};

struct RegexFinder {
  Regex regex;

  template <typename Take>
  void ForEachMatch(std::string_view text, Take take) const {
    for (auto match = regex.Find(text, 0); match; match = regex.Find(text, match->end)) {
      take(match->begin, match->end);
    }
  }
};

// Each character that is a match.
template <typename Test>
struct CharacterFinder {
  Test is_match;

  template <typename Take>
  void ForEachMatch(std::string_view text, Take take) const {
    for (size_t i = 0; i < text.size();) {
      const CodePoint c = DecodeUtf8(text, i);
      if (is_match(c.value)) take(i, i + c.size_bytes);
      i += c.size_bytes;
    }
  }
};

// Each longest run of characters of one kind that is not 0.
template <typename Kind>
struct RunFinder {
  Kind kind_of;

  template <typename Take>
  void ForEachMatch(std::string_view text, Take take) const {
    size_t begin = 0;
    int kind = 0;
    for (size_t i = 0; i < text.size();) {
      const CodePoint c = DecodeUtf8(text, i);
      const int next = kind_of(c.value);
      if (next != kind) {
        if (kind != 0) take(begin, i);
        begin = i;
        kind = next;
      }
      i += c.size_bytes;
    }
    if (kind != 0) take(begin, text.size());
  }
};

template <typename Finder>
std::unique_ptr<PreTokenizer> Make(Finder finder, SplitBehavior behavior, bool inverts) {
  return std::make_unique<Split<Finder>>(std::move(finder), behavior, inverts);
}

}  // namespace

std::unique_ptr<PreTokenizer> MakeSplitPreTokenizer(std::string literal, SplitBehavior behavior,
                                                    bool inverts) {
  return Make(LiteralFinder{std::move(literal)}, behavior, inverts);
}

std::unique_ptr<PreTokenizer> MakeSplitPreTokenizer(Regex regex, SplitBehavior behavior,
                                                    bool inverts) {
  return Make(RegexFinder{std::move(regex)}, behavior, inverts);
}

std::unique_ptr<PreTokenizer> MakeDigitsPreTokenizer(SplitBehavior behavior) {
  const auto is_numeric = [](char32_t c) { return Categories()[c].is_numeric(); };
  return Make(CharacterFinder<decltype(is_numeric)>{is_numeric}, behavior, false);
}

std::unique_ptr<PreTokenizer> MakePunctuationPreTokenizer(SplitBehavior behavior) {
  const auto is_punctuation = [](char32_t c) { return CharTable::Get()[c].is_punctuation(); };
  return Make(CharacterFinder<decltype(is_punctuation)>{is_punctuation}, behavior, false);
}

std::unique_ptr<PreTokenizer> MakeWhitespacePreTokenizer() {
  const auto kind = [](char32_t c) {
    if (CharTable::Get()[c].is_word()) return 1;
    return IsWhitespace(c) ? 0 : 2;
  };
  return Make(RunFinder<decltype(kind)>{kind}, SplitBehavior::kRemoved, true);
}

std::unique_ptr<PreTokenizer> MakeGpt2PreTokenizer() {
  static const Regex regex = *Regex::Compile(
      R"('s|'t|'re|'ve|'m|'ll|'d| ?\p{L}+| ?\p{N}+| ?[^\s\p{L}\p{N}]+|\s+(?!\S)|\s+)");
  return MakeSplitPreTokenizer(regex, SplitBehavior::kIsolated, false);
}

}  // namespace embedding
