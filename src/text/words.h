// Words: a normalised text and its division into words, which the model tokenises one by one.
#pragma once

#include <cstdint>
#include <string_view>
#include <vector>

#include "text/normalized_text.h"

namespace embedding {

// Half-open range of bytes of a NormalizedText.
struct Word {
  static constexpr int32_t kForModel = -1;

  uint32_t begin;
  uint32_t end;
  int32_t id = kForModel;  // that of an added token, which the word is as a whole
};

struct Words {
  NormalizedText text;
  std::vector<Word> words;  // not empty, in order

  std::string_view TextOf(const Word& word) const {
    return std::string_view(text.text).substr(word.begin, word.end - word.begin);
  }
  void Reset(bool track) {
    text.Reset(track);
    words.clear();
  }
  // Adds the bytes begin..end, if there are any.
  void Add(size_t begin, size_t end, int32_t id = Word::kForModel) {
    if (begin < end)
      words.push_back({static_cast<uint32_t>(begin), static_cast<uint32_t>(end), id});
  }
};

// A token: its id and the bytes of Words::text it stands for.
struct Token {
  int32_t id;
  uint32_t begin;
  uint32_t end;
};

}  // namespace embedding
