#include <array>
#include <utility>

#include "base/utf8.h"
#include "text/pre_tokenizer.h"
#include "text/unicode.h"

namespace embedding {
namespace {

enum class CharKind : uint8_t { kLetter, kSpace, kPunctuation };

// Cuts at spaces, which are dropped, and around each punctuation mark.
class SplitPreTokenizer : public PreTokenizer {
 public:
  explicit SplitPreTokenizer(bool isolates_punctuation)
      : isolates_punctuation_(isolates_punctuation) {
    for (char32_t c = 0; c < ascii_.size(); ++c) ascii_[c] = KindOf(c);
  }

  void Apply(Words& words, Words& spare) const override {
    spare.words.clear();
    const std::string_view text = words.text.text;
    for (const Word& word : words.words) {
      if (word.id != Word::kForModel) {
        spare.words.push_back(word);
        continue;
      }
      size_t begin = word.begin;
      for (size_t i = word.begin; i < word.end;) {
        const auto byte = static_cast<unsigned char>(text[i]);
        size_t size_bytes = 1;
        CharKind kind;
        if (byte < 0x80) {
          kind = ascii_[byte];
        } else {
          const CodePoint c = DecodeUtf8(text, i);
          size_bytes = c.size_bytes;
          kind = KindOf(c.value);
        }
        if (kind != CharKind::kLetter) {
          spare.Add(begin, i);
          if (kind == CharKind::kPunctuation) spare.Add(i, i + size_bytes);
          begin = i + size_bytes;
        }
        i += size_bytes;
      }
      spare.Add(begin, word.end);
    }
    words.words.swap(spare.words);
  }

 private:
  CharKind KindOf(char32_t c) const {
    if (IsWhitespace(c)) return CharKind::kSpace;
    const bool isolated = isolates_punctuation_ && CharTable::Get()[c].is_punctuation();
    return isolated ? CharKind::kPunctuation : CharKind::kLetter;
  }

  bool isolates_punctuation_;
  std::array<CharKind, 0x80> ascii_;
};

class Metaspace : public PreTokenizer {
 public:
  explicit Metaspace(MetaspaceOptions options) : options_(std::move(options)) {
    is_stop_[' '] = true;
    is_stop_[static_cast<unsigned char>(options_.replacement.front())] = true;
  }

  bool needs_origins() const override {
    return options_.prepend == MetaspaceOptions::Prepend::kFirst;
  }

  void Apply(Words& words, Words& spare) const override {
    spare.Reset(words.text.tracked);
    const std::string_view all = words.text.text;
    spare.text.text.reserve(all.size() + (all.size() / 2));
    for (const Word& word : words.words) {
      size_t begin = spare.text.text.size();
      if (word.id != Word::kForModel) {
        spare.text.AppendFrom(words.text, word.begin, word.end);
        spare.Add(begin, spare.text.text.size(), word.id);
        continue;
      }
      const bool has_replacement =
          all[word.begin] == ' ' || IsReplacement(all, word.begin, word.end);
      if (!has_replacement && Prepends(words.text, word)) {
        spare.text.AppendAt(options_.replacement, words.text, word.begin);
      }
      for (size_t i = word.begin; i < word.end;) {
        size_t stop = i;
        while (stop < word.end && !is_stop_[static_cast<unsigned char>(all[stop])]) ++stop;
        spare.text.AppendFrom(words.text, i, stop);
        if (stop == word.end) break;
        const bool is_space = all[stop] == ' ';
        if (!is_space && !IsReplacement(all, stop, word.end)) {
          spare.text.AppendFrom(words.text, stop, stop + 1);
          i = stop + 1;
          continue;
        }
        if (options_.split) {
          spare.Add(begin, spare.text.text.size());
          begin = spare.text.text.size();
        }
        spare.text.AppendAt(options_.replacement, words.text, stop);
        i = stop + (is_space ? 1 : options_.replacement.size());
      }
      spare.Add(begin, spare.text.text.size());
    }
    words.text.Swap(spare.text);
    words.words.swap(spare.words);
  }

 private:
  bool IsReplacement(std::string_view text, size_t begin, size_t end) const {
    return text.substr(begin, end - begin).starts_with(options_.replacement);
  }

  bool Prepends(const NormalizedText& text, const Word& word) const {
    switch (options_.prepend) {
      case MetaspaceOptions::Prepend::kAlways:
        return true;
      case MetaspaceOptions::Prepend::kFirst:
        return text.origin[word.begin].begin == 0;
      case MetaspaceOptions::Prepend::kNever:
        break;
    }
    return false;
  }

  MetaspaceOptions options_;
  std::array<bool, 256> is_stop_ = {};  // bytes that a space or the replacement begins with
};

}  // namespace

std::unique_ptr<PreTokenizer> MakeBertPreTokenizer() {
  return std::make_unique<SplitPreTokenizer>(true);
}

std::unique_ptr<PreTokenizer> MakeWhitespaceSplitPreTokenizer() {
  return std::make_unique<SplitPreTokenizer>(false);
}

std::unique_ptr<PreTokenizer> MakeMetaspacePreTokenizer(MetaspaceOptions options) {
  return std::make_unique<Metaspace>(std::move(options));
}

}  // namespace embedding
