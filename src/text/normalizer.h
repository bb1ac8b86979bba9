// Normalizer: one step of what is done to a text before it is cut into words.
//
// Thread-safety: immutable; any number of threads may apply one at once.
#pragma once

#include <cstddef>
#include <memory>
#include <string>

#include "text/normalized_text.h"
#include "text/precompiled_charsmap.h"
#include "text/regex.h"

namespace embedding {

class Normalizer {
 public:
  virtual ~Normalizer() = default;
  // Changes `text`. `spare` is a buffer to work in; its content before and after means nothing.
  virtual void Apply(NormalizedText& text, NormalizedText& spare) const = 0;
  // How many times as many bytes a text can have afterwards, where the file says it. The others
  // never make more than a few bytes of one, and no more when they are applied again.
  virtual size_t max_growth() const { return 1; }
  virtual bool lowercases() const { return false; }
};

enum class NormalForm { kNfc, kNfd, kNfkc, kNfkd };

struct BertNormalizerOptions {
  bool clean_text = true;            // drop control characters, make all white space U+0020
  bool handle_chinese_chars = true;  // put a space on each side of every CJK ideograph
  bool strip_accents = true;         // decompose, then drop nonspacing marks
  bool lowercase = true;
};

// What Replace looks for: a literal text, or (min_count > 0) a run of at least that many of it.
struct ReplacePattern {
  std::string literal;  // not empty
  size_t min_count = 0;
};

std::unique_ptr<Normalizer> MakeBertNormalizer(const BertNormalizerOptions& options);
std::unique_ptr<Normalizer> MakePrecompiledNormalizer(PrecompiledCharsmap charsmap);
std::unique_ptr<Normalizer> MakeNormalFormNormalizer(NormalForm form);
std::unique_ptr<Normalizer> MakeLowercaseNormalizer();
std::unique_ptr<Normalizer> MakeStripAccentsNormalizer();
std::unique_ptr<Normalizer> MakeStripNormalizer(bool left, bool right);
std::unique_ptr<Normalizer> MakeReplaceNormalizer(ReplacePattern pattern, std::string content);
std::unique_ptr<Normalizer> MakeReplaceNormalizer(Regex regex, std::string content);
std::unique_ptr<Normalizer> MakePrependNormalizer(std::string prefix);
std::unique_ptr<Normalizer> MakeNmtNormalizer();
// Writes bytes as the characters of byte_level.h.
std::unique_ptr<Normalizer> MakeByteLevelNormalizer();

}  // namespace embedding
