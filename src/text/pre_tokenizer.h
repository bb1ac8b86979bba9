// PreTokenizer: cuts words into smaller ones. Words that are added tokens stay whole.
//
// Thread-safety: immutable; any number of threads may apply one at once.
#pragma once

#include <cstddef>
#include <memory>
#include <string>

#include "text/regex.h"
#include "text/words.h"

namespace embedding {

class PreTokenizer {
 public:
  virtual ~PreTokenizer() = default;
  // Changes `words`. `spare` is a buffer to work in; its content before and after means nothing.
  virtual void Apply(Words& words, Words& spare) const = 0;
  // Whether Apply reads the origins, so that they are needed even if no offsets are wanted.
  virtual bool needs_origins() const { return false; }
  // Whether it writes bytes as the characters of byte_level.h and does nothing else, so that a
  // model that reads bytes can do without it.
  virtual bool makes_byte_characters() const { return false; }
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

// What becomes of the matches of a pattern. The text between two of them is one word.
enum class SplitBehavior {
  kRemoved,
  kIsolated,            // each is a word
  kMergedWithPrevious,  // each but those behind a match is joined to what is before it
  kMergedWithNext,      // each but those before a match is joined to what is behind it
  kContiguous,          // those side by side are one word
};

// White space is dropped, and each punctuation mark is a word.
std::unique_ptr<PreTokenizer> MakeBertPreTokenizer();
std::unique_ptr<PreTokenizer> MakeWhitespaceSplitPreTokenizer();
std::unique_ptr<PreTokenizer> MakeMetaspacePreTokenizer(MetaspaceOptions options);

// Matches of a text (not empty) or of a regular expression. `inverts`: what is between matches is
// taken for matches, and the matches for what is between.
std::unique_ptr<PreTokenizer> MakeSplitPreTokenizer(std::string literal, SplitBehavior behavior,
                                                    bool inverts);
std::unique_ptr<PreTokenizer> MakeSplitPreTokenizer(Regex regex, SplitBehavior behavior,
                                                    bool inverts);
// Characters that are numeric, or punctuation.
std::unique_ptr<PreTokenizer> MakeDigitsPreTokenizer(SplitBehavior behavior);
std::unique_ptr<PreTokenizer> MakePunctuationPreTokenizer(SplitBehavior behavior);
// Runs of `\w`, and of what is neither that nor white space, are words.
std::unique_ptr<PreTokenizer> MakeWhitespacePreTokenizer();
// Cuts where the script changes. Spaces and other characters of no script stay with what is before
// them; those at the beginning of a word are dropped.
std::unique_ptr<PreTokenizer> MakeUnicodeScriptsPreTokenizer();
// Words of so many characters (at least one), but for what is left at the end.
std::unique_ptr<PreTokenizer> MakeFixedLengthPreTokenizer(size_t characters);

// The three steps of ByteLevel: a space before each word that does not begin with one; GPT-2's
// regular expression; and bytes written as characters.
std::unique_ptr<PreTokenizer> MakePrefixSpacePreTokenizer();
std::unique_ptr<PreTokenizer> MakeGpt2PreTokenizer();
std::unique_ptr<PreTokenizer> MakeByteCharactersPreTokenizer();

}  // namespace embedding
