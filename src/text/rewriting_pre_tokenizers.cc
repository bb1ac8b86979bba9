// Pre-tokenizers that change the text (ByteLevel's prefix space and bytes), and those that cut at
// more than matches of a pattern (UnicodeScripts, FixedLength).
#include <cstddef>

#include "base/utf8.h"
#include "text/byte_level.h"
#include "text/categories.h"
#include "text/pre_tokenizer.h"

namespace embedding {
namespace {

// Copies each word, by `copy` what is for the model.
template <typename Copy>
void CopyWords(Words& words, Words& spare, Copy copy) {
  spare.Reset(words.text.tracked);
  for (const Word& word : words.words) {
    const size_t begin = spare.text.text.size();
    if (word.id == Word::kForModel) {
      copy(word);
    } else {
      spare.text.AppendFrom(words.text, word.begin, word.end);
    }
    spare.Add(begin, spare.text.text.size(), word.id);
  }
  words.text.Swap(spare.text);
  words.words.swap(spare.words);
}

class PrefixSpace : public PreTokenizer {
 public:
  void Apply(Words& words, Words& spare) const override {
    CopyWords(words, spare, [&](const Word& word) {
      if (words.text.text[word.begin] != ' ') spare.text.AppendAt(" ", words.text, word.begin);
      spare.text.AppendFrom(words.text, word.begin, word.end);
    });
  }
};

class ByteCharactersWriter : public PreTokenizer {
 public:
  void Apply(Words& words, Words& spare) const override {
    const auto& characters = ByteCharacters();
    CopyWords(words, spare, [&](const Word& word) {
      for (size_t i = word.begin; i < word.end; ++i) {
        spare.text.AppendAt(characters[static_cast<unsigned char>(words.text.text[i])], words.text,
                            i);
      }
    });
  }

  bool makes_byte_characters() const override { return true; }
};

// Cuts each word that is for the model by `cut`, which adds words to the spare ones.
template <typename Cut>
void CutWords(Words& words, Words& spare, Cut cut) {
  spare.words.clear();
  for (const Word& word : words.words) {
    if (word.id == Word::kForModel) {
      cut(word);
    } else {
      spare.words.push_back(word);
    }
  }
  words.words.swap(spare.words);
}

class UnicodeScripts : public PreTokenizer {
 public:
  void Apply(Words& words, Words& spare) const override {
    CutWords(words, spare, [&](const Word& word) {
      size_t begin = word.end;  // of a word, once a script has been met
      uint8_t script = 0;
      for (size_t i = word.begin; i < word.end;) {
        const CodePoint c = DecodeUtf8(words.text.text, i);
        const uint8_t next = ScriptOf(c.value);
        if (next != 0 && next != script) {
          spare.Add(begin, i);
          begin = i;
          script = next;
        }
        i += c.size_bytes;
      }
      spare.Add(begin, word.end);
    });
  }
};

class FixedLength : public PreTokenizer {
 public:
  explicit FixedLength(size_t characters) : characters_(characters) {}

  void Apply(Words& words, Words& spare) const override {
    CutWords(words, spare, [&](const Word& word) {
      size_t begin = word.begin;
      size_t count = 0;
      for (size_t i = word.begin; i < word.end;) {
        i += Utf8Length(static_cast<unsigned char>(words.text.text[i]));
        if (++count < characters_) continue;
        spare.Add(begin, i);
        begin = i;
        count = 0;
      }
      spare.Add(begin, word.end);
    });
  }

 private:
  size_t characters_;
};

}  // namespace

std::unique_ptr<PreTokenizer> MakePrefixSpacePreTokenizer() {
  return std::make_unique<PrefixSpace>();
}

std::unique_ptr<PreTokenizer> MakeByteCharactersPreTokenizer() {
  return std::make_unique<ByteCharactersWriter>();
}

std::unique_ptr<PreTokenizer> MakeUnicodeScriptsPreTokenizer() {
  return std::make_unique<UnicodeScripts>();
}

std::unique_ptr<PreTokenizer> MakeFixedLengthPreTokenizer(size_t characters) {
  return std::make_unique<FixedLength>(characters);
}

}  // namespace embedding
