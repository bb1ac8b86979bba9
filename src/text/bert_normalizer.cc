// BertNormalizer: clean, space out ideographs, strip accents, lower case.
//
// The original makes a pass over the text for each of these. Nearly always one pass gives the same,
// since what becomes of a character depends on that character alone. The exception is canonical
// decomposition, which sorts combining marks: their order only matters if one of them stays in the
// text, and those are rare (a few spacing marks, and marks newer than the library's tables). So
// what becomes of each character of the Basic Multilingual Plane is computed at load, and a text
// with one of the rare marks goes through the passes one by one.
#include <algorithm>
#include <array>
#include <cstdint>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "base/utf8.h"
#include "text/normalizer.h"
#include "text/unicode.h"

namespace embedding {
namespace {

bool IsCjkIdeograph(char32_t c) {
  return (c >= 0x4E00 && c <= 0x9FFF) || (c >= 0x3400 && c <= 0x4DBF) ||
         (c >= 0x20000 && c <= 0x2A6DF) || (c >= 0x2A700 && c <= 0x2B73F) ||
         (c >= 0x2B740 && c <= 0x2B81F) || (c >= 0x2B920 && c <= 0x2CEAF) ||
         (c >= 0xF900 && c <= 0xFAFF) || (c >= 0x2F800 && c <= 0x2FA1F);
}

class BertNormalizer : public Normalizer {
 public:
  bool lowercases() const override { return options_.lowercase; }
  explicit BertNormalizer(const BertNormalizerOptions& options)
      : options_(options),
        decompose_(MakeNormalFormNormalizer(NormalForm::kNfd)),
        lowercase_(MakeLowercaseNormalizer()) {
    std::string replacement;
    for (char32_t c = 0; c < kTabled; ++c) {
      const bool is_surrogate = c >= 0xD800 && c <= 0xDFFF;
      replacement.clear();
      if (is_surrogate || !Normalize(c, replacement)) {
        table_.push_back({0, kSlow});
        continue;
      }
      table_.push_back(
          {static_cast<uint32_t>(pool_.size()), static_cast<uint32_t>(replacement.size())});
      pool_ += replacement;
      if (c < 0x80) {
        ascii_[c] = replacement.empty() ? kDropped : static_cast<uint8_t>(replacement.front());
      }
    }
  }

  void Apply(NormalizedText& text, NormalizedText& spare) const override {
    if (!ApplyInOnePass(text, spare)) {
      ApplyInPasses(text, spare);
      return;
    }
    text.Swap(spare);
  }

 private:
  static constexpr char32_t kTabled = 0x10000;
  static constexpr uint32_t kSlow = UINT32_MAX;
  static constexpr uint8_t kDropped = 0xFF;

  struct Replacement {
    uint32_t offset;
    uint32_t size_bytes;  // or kSlow
  };

  // The character after cleaning, or nothing if that drops it.
  std::optional<char32_t> Clean(char32_t c) const {
    if (!options_.clean_text) return c;
    if (c == 0 || c == 0xFFFD) return std::nullopt;
    if (c == '\t' || c == '\n' || c == '\r') return U' ';
    if (CharTable::Get()[c].is_other()) return std::nullopt;
    return IsWhitespace(c) ? U' ' : c;
  }

  // Appends what becomes of c; false if that depends on its neighbours.
  bool Normalize(char32_t c, std::string& out) const {
    const std::optional<char32_t> cleaned = Clean(c);
    if (!cleaned) return true;
    const bool spaced = options_.handle_chinese_chars && IsCjkIdeograph(*cleaned);
    if (spaced) out += ' ';
    const Decomposition parts =
        options_.strip_accents ? Decompose(*cleaned, false) : Decomposition{{*cleaned}, 1};
    for (size_t i = 0; i < parts.size; ++i) {
      if (options_.strip_accents) {
        if (CharTable::Get()[parts.chars[i]].is_nonspacing()) continue;
        if (CombiningClass(parts.chars[i]) != 0) return false;
      }
      const Lowered lowered =
          options_.lowercase ? ToLower(parts.chars[i]) : Lowered{parts.chars[i], 0};
      AppendUtf8(lowered.first, out);
      if (lowered.second != 0) AppendUtf8(lowered.second, out);
    }
    if (spaced) out += ' ';
    return true;
  }

  bool ApplyInOnePass(const NormalizedText& text, NormalizedText& out) const {
    const std::string_view in = text.text;
    out.Reset(text.tracked);
    out.text.reserve(in.size() + (in.size() / 2));
    std::string untabled;
    for (size_t i = 0; i < in.size();) {
      if (static_cast<unsigned char>(in[i]) < 0x80) {
        i = AppendAscii(text, i, out);
        continue;
      }
      const CodePoint c = DecodeUtf8(in, i);
      if (c.value < kTabled) {
        const Replacement replacement = table_[c.value];
        if (replacement.size_bytes == kSlow) return false;
        out.AppendAt({pool_.data() + replacement.offset, replacement.size_bytes}, text, i);
      } else {
        untabled.clear();
        if (!Normalize(c.value, untabled)) return false;
        out.AppendAt(untabled, text, i);
      }
      i += c.size_bytes;
    }
    return true;
  }

  // Appends what becomes of the ASCII characters from `begin` on; returns where they end.
  size_t AppendAscii(const NormalizedText& text, size_t begin, NormalizedText& out) const {
    const std::string_view in = text.text;
    size_t end = begin;
    std::array<char, 64> chunk;
    size_t size = 0;
    for (; end < in.size() && size < chunk.size(); ++end) {
      const auto byte = static_cast<unsigned char>(in[end]);
      if (byte >= 0x80) break;
      const uint8_t to = ascii_[byte];
      if (to == kDropped) continue;
      chunk[size++] = static_cast<char>(to);
      if (out.tracked) out.origin.push_back(text.origin[end]);
    }
    out.text.append(chunk.data(), size);
    return end;
  }

  void ApplyInPasses(NormalizedText& text, NormalizedText& spare) const {
    const auto pass = [&](auto&& append_char) {
      spare.Reset(text.tracked);
      for (size_t i = 0; i < text.text.size();) {
        const CodePoint c = DecodeUtf8(text.text, i);
        append_char(c.value, i);
        i += c.size_bytes;
      }
      text.Swap(spare);
    };
    pass([&](char32_t c, size_t at) {
      const std::optional<char32_t> cleaned = Clean(c);
      if (!cleaned) return;
      const bool spaced = options_.handle_chinese_chars && IsCjkIdeograph(*cleaned);
      if (spaced) spare.AppendAt(" ", text, at);
      spare.AppendAt(*cleaned, text, at);
      if (spaced) spare.AppendAt(" ", text, at);
    });
    decompose_->Apply(text, spare);
    pass([&](char32_t c, size_t at) {
      if (!CharTable::Get()[c].is_nonspacing()) spare.AppendAt(c, text, at);
    });
    if (options_.lowercase) lowercase_->Apply(text, spare);
  }

  BertNormalizerOptions options_;
  std::unique_ptr<Normalizer> decompose_;
  std::unique_ptr<Normalizer> lowercase_;
  std::vector<Replacement> table_;  // of the code points below kTabled, in pool_
  std::string pool_;
  std::array<uint8_t, 0x80> ascii_ = {};
};

}  // namespace

std::unique_ptr<Normalizer> MakeBertNormalizer(const BertNormalizerOptions& options) {
  return std::make_unique<BertNormalizer>(options);
}

}  // namespace embedding
