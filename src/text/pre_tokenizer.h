// PreTokenizer: cuts words into smaller ones. Words that are added tokens stay whole.
//
// Thread-safety: immutable; any number of threads may apply one at once.
#pragma once

#include <memory>
#include <string>

#include "text/words.h"

namespace embedding {

class PreTokenizer {
 public:
  virtual ~PreTokenizer() = default;
  // Changes `words`. `spare` is a buffer to work in; its content before and after means nothing.
  virtual void Apply(Words& words, Words& spare) const = 0;
  // Whether Apply reads the origins, so that they are needed even if no offsets are wanted.
  virtual bool needs_origins() const { return false; }
};

struct MetaspaceOptions {
  enum class Prepend {
    kNever,
    kAlways,  // to every word that does not begin with the replacement
    kFirst,   // likewise, but only at the beginning of the input
  };
  std::string replacement;  // of each U+0020: one character
  Prepend prepend = Prepend::kAlways;
  bool split = true;  // before every replacement
};

// White space is dropped, and each punctuation mark is a word.
std::unique_ptr<PreTokenizer> MakeBertPreTokenizer();
std::unique_ptr<PreTokenizer> MakeWhitespaceSplitPreTokenizer();
std::unique_ptr<PreTokenizer> MakeMetaspacePreTokenizer(MetaspaceOptions options);

}  // namespace embedding
