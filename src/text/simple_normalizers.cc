// The normalizers that look at one character, or one short pattern, at a time.
#include <algorithm>
#include <utility>

#include "base/utf8.h"
#include "text/byte_level.h"
#include "text/normalizer.h"
#include "text/unicode.h"

namespace embedding {
namespace {

class Lowercase : public Normalizer {
 public:
  bool lowercases() const override { return true; }
  void Apply(NormalizedText& text, NormalizedText& spare) const override {
    spare.Reset(text.tracked);
    for (size_t i = 0; i < text.text.size();) {
      const CodePoint c = DecodeUtf8(text.text, i);
      const Lowered lowered = ToLower(c.value);
      spare.AppendAt(lowered.first, text, i);
      if (lowered.second != 0) spare.AppendAt(lowered.second, text, i);
      i += c.size_bytes;
    }
    text.Swap(spare);
  }
};

class StripAccents : public Normalizer {
 public:
  void Apply(NormalizedText& text, NormalizedText& spare) const override {
    const CharTable& table = CharTable::Get();
    spare.Reset(text.tracked);
    for (size_t i = 0; i < text.text.size();) {
      const CodePoint c = DecodeUtf8(text.text, i);
      if (!table[c.value].is_mark()) spare.AppendFrom(text, i, i + c.size_bytes);
      i += c.size_bytes;
    }
    text.Swap(spare);
  }
};

class Strip : public Normalizer {
 public:
  Strip(bool left, bool right) : left_(left), right_(right) {}

  void Apply(NormalizedText& text, NormalizedText& spare) const override {
    const std::string_view all = text.text;
    size_t begin = 0;
    size_t end = all.size();
    while (left_ && begin < end) {
      const CodePoint c = DecodeUtf8(all, begin);
      if (!IsWhitespace(c.value)) break;
      begin += c.size_bytes;
    }
    while (right_ && end > begin) {
      size_t last = end - 1;
      while ((static_cast<unsigned char>(all[last]) & 0xC0) == 0x80) --last;
      if (!IsWhitespace(DecodeUtf8(all, last).value)) break;
      end = last;
    }
    if (begin == 0 && end == all.size()) return;
    spare.Reset(text.tracked);
    spare.AppendFrom(text, begin, end);
    text.Swap(spare);
  }

 private:
  bool left_;
  bool right_;
};

// SentencePiece's rules for machine translation: control characters go, and what else is blank
// becomes a space.
class Nmt : public Normalizer {
 public:
  void Apply(NormalizedText& text, NormalizedText& spare) const override {
    spare.Reset(text.tracked);
    for (size_t i = 0; i < text.text.size();) {
      const CodePoint c = DecodeUtf8(text.text, i);
      if (IsBlank(c.value)) {
        spare.AppendAt(" ", text, i);
      } else if (!IsDropped(c.value)) {
        spare.AppendFrom(text, i, i + c.size_bytes);
      }
      i += c.size_bytes;
    }
    text.Swap(spare);
  }

 private:
  static bool IsDropped(char32_t c) {
    return (c >= 0x01 && c <= 0x08) || c == 0x0B || (c >= 0x0E && c <= 0x1F) || c == 0x7F ||
           c == 0x8F || c == 0x9F;
  }
  static bool IsBlank(char32_t c) {
    return c == 0x09 || c == 0x0A || c == 0x0C || c == 0x0D || c == 0x1680 ||
           (c >= 0x200B && c <= 0x200F) || c == 0x2028 || c == 0x2029 || c == 0x2581 ||
           c == 0xFEFF || c == 0xFFFD;
  }
};

class ByteLevel : public Normalizer {
 public:
  void Apply(NormalizedText& text, NormalizedText& spare) const override {
    const auto& characters = ByteCharacters();
    spare.Reset(text.tracked);
    for (size_t i = 0; i < text.text.size(); ++i) {
      spare.AppendAt(characters[static_cast<unsigned char>(text.text[i])], text, i);
    }
    text.Swap(spare);
  }

  size_t max_growth() const override { return 2; }
};

class Replace : public Normalizer {
 public:
  Replace(ReplacePattern pattern, std::string content)
      : pattern_(std::move(pattern)), content_(std::move(content)), shortest_(pattern_.literal) {
    for (size_t i = 1; i < pattern_.min_count; ++i) shortest_ += pattern_.literal;
  }

  void Apply(NormalizedText& text, NormalizedText& spare) const override {
    const std::string_view all = text.text;
    size_t begin = all.find(shortest_);
    if (begin == std::string_view::npos) return;
    spare.Reset(text.tracked);
    size_t done = 0;
    for (; begin != std::string_view::npos; begin = all.find(shortest_, done)) {
      size_t end = begin + shortest_.size();
      while (pattern_.min_count > 0 && all.substr(end).starts_with(pattern_.literal)) {
        end += pattern_.literal.size();
      }
      spare.AppendFrom(text, done, begin);
      spare.AppendAt(content_, text, end - 1);
      done = end;
    }
    spare.AppendFrom(text, done, all.size());
    text.Swap(spare);
  }

  size_t max_growth() const override {
    return std::max<size_t>(1, (content_.size() + shortest_.size() - 1) / shortest_.size());
  }

 private:
  ReplacePattern pattern_;
  std::string content_;
  std::string shortest_;  // the shortest text that matches
};

class ReplaceMatches : public Normalizer {
 public:
  ReplaceMatches(Regex regex, std::string content)
      : regex_(std::move(regex)), content_(std::move(content)) {}

  void Apply(NormalizedText& text, NormalizedText& spare) const override {
    const std::string_view all = text.text;
    auto match = regex_.Find(all, 0);
    if (!match) return;
    spare.Reset(text.tracked);
    size_t done = 0;
    for (; match; match = regex_.Find(all, done)) {
      spare.AppendFrom(text, done, match->begin);
      spare.AppendAt(content_, text, match->end - 1);
      done = match->end;
    }
    spare.AppendFrom(text, done, all.size());
    text.Swap(spare);
  }

  // A match may be of one byte.
  size_t max_growth() const override { return std::max<size_t>(1, content_.size()); }

 private:
  Regex regex_;
  std::string content_;
};

class Prepend : public Normalizer {
 public:
  explicit Prepend(std::string prefix) : prefix_(std::move(prefix)) {}

  void Apply(NormalizedText& text, NormalizedText& spare) const override {
    if (text.text.empty()) return;
    spare.Reset(text.tracked);
    spare.AppendAt(prefix_, text, 0);
    spare.AppendFrom(text, 0, text.text.size());
    text.Swap(spare);
  }

  size_t max_growth() const override { return 1 + prefix_.size(); }

 private:
  std::string prefix_;
};

}  // namespace

std::unique_ptr<Normalizer> MakeLowercaseNormalizer() { return std::make_unique<Lowercase>(); }

std::unique_ptr<Normalizer> MakeStripAccentsNormalizer() {
  return std::make_unique<StripAccents>();
}

std::unique_ptr<Normalizer> MakeStripNormalizer(bool left, bool right) {
  return std::make_unique<Strip>(left, right);
}

std::unique_ptr<Normalizer> MakeReplaceNormalizer(ReplacePattern pattern, std::string content) {
  return std::make_unique<Replace>(std::move(pattern), std::move(content));
}

std::unique_ptr<Normalizer> MakeReplaceNormalizer(Regex regex, std::string content) {
  return std::make_unique<ReplaceMatches>(std::move(regex), std::move(content));
}

std::unique_ptr<Normalizer> MakeNmtNormalizer() { return std::make_unique<Nmt>(); }

std::unique_ptr<Normalizer> MakeByteLevelNormalizer() { return std::make_unique<ByteLevel>(); }

std::unique_ptr<Normalizer> MakePrependNormalizer(std::string prefix) {
  return std::make_unique<Prepend>(std::move(prefix));
}

}  // namespace embedding
