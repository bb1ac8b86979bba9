#include "text/decoder_steps.h"

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <utility>

#include "base/utf8.h"
#include "text/byte_level.h"

namespace embedding {
namespace {

constexpr std::string_view kReplacementCharacter = "\uFFFD";

void ReplaceAll(std::string_view from, std::string_view to, std::string& text) {
  if (from.empty()) return;
  std::string out;
  size_t done = 0;
  for (size_t at = text.find(from); at != std::string::npos; at = text.find(from, done)) {
    out.append(text, done, at - done);
    out += to;
    done = at + from.size();
  }
  if (done == 0) return;
  out.append(text, done);
  text = std::move(out);
}

// In the order of the `tokenizers` library, which does this token by token.
void CleanUp(std::string& token) {
  constexpr std::pair<std::string_view, std::string_view> kSpaces[] = {
      {" .", "."},   {" ?", "?"},     {" !", "!"},     {" ,", ","},
      {" ' ", "'"},  {" n't", "n't"}, {" 'm", "'m"},   {" do not", " don't"},
      {" 's", "'s"}, {" 've", "'ve"}, {" 're", "'re"},
  };
  for (const auto& [from, to] : kSpaces) ReplaceAll(from, to, token);
}

class WordPieceStep : public DecoderStep {
 public:
  WordPieceStep(std::string prefix, bool cleanup) : prefix_(std::move(prefix)), cleanup_(cleanup) {}

  void Apply(std::vector<std::string>& tokens) const override {
    for (size_t i = 0; i < tokens.size(); ++i) {
      std::string& token = tokens[i];
      if (i > 0 && token.starts_with(prefix_)) {
        token.erase(0, prefix_.size());
      } else if (i > 0) {
        token.insert(0, 1, ' ');
      }
      if (cleanup_) CleanUp(token);
    }
  }

 private:
  std::string prefix_;
  bool cleanup_;
};

class MetaspaceStep : public DecoderStep {
 public:
  MetaspaceStep(std::string replacement, bool drops_first)
      : replacement_(std::move(replacement)), drops_first_(drops_first) {}

  void Apply(std::vector<std::string>& tokens) const override {
    for (size_t i = 0; i < tokens.size(); ++i) {
      // All of the first token's, as the library does it.
      ReplaceAll(replacement_, i == 0 && drops_first_ ? "" : " ", tokens[i]);
    }
  }

 private:
  std::string replacement_;
  bool drops_first_;
};

class ByteLevelStep : public DecoderStep {
 public:
  void Apply(std::vector<std::string>& tokens) const override {
    std::string bytes;
    for (const std::string& token : tokens) bytes += BytesOfCharacters(token).value_or(token);
    tokens = {ReplaceInvalidUtf8(bytes)};
  }
};

class ByteFallbackStep : public DecoderStep {
 public:
  void Apply(std::vector<std::string>& tokens) const override {
    std::vector<std::string> out;
    std::string bytes;
    const auto add_bytes = [&] {
      if (bytes.empty()) return;
      if (FindInvalidUtf8(bytes) == std::string::npos) {
        out.push_back(bytes);
      } else {
        out.insert(out.end(), bytes.size(), std::string(kReplacementCharacter));
      }
      bytes.clear();
    };
    for (std::string& token : tokens) {
      if (const std::optional<char> byte = ByteOf(token)) {
        bytes += *byte;
        continue;
      }
      add_bytes();
      out.push_back(std::move(token));
    }
    add_bytes();
    tokens = std::move(out);
  }

 private:
  static std::optional<char> ByteOf(std::string_view token) {
    if (token.size() != 6 || !token.starts_with("<0x") || token.back() != '>') return std::nullopt;
    int value = 0;
    for (const char c : token.substr(3, 2)) {
      const bool is_digit = c >= '0' && c <= '9';
      const bool is_letter = (c >= 'a' && c <= 'f') || (c >= 'A' && c <= 'F');
      if (!is_digit && !is_letter) return std::nullopt;
      value = (value * 16) + (is_digit ? c - '0' : (c | 0x20) - 'a' + 10);
    }
    return static_cast<char>(value);
  }
};

class FuseStep : public DecoderStep {
 public:
  void Apply(std::vector<std::string>& tokens) const override {
    std::string text;
    for (const std::string& token : tokens) text += token;
    tokens = {std::move(text)};
  }
};

class StripStep : public DecoderStep {
 public:
  StripStep(std::string character, size_t start, size_t stop)
      : character_(std::move(character)), start_(start), stop_(stop) {}

  void Apply(std::vector<std::string>& tokens) const override {
    for (std::string& token : tokens) {
      std::string_view text = token;
      for (size_t i = 0; i < start_ && text.starts_with(character_); ++i) {
        text.remove_prefix(character_.size());
      }
      for (size_t i = 0; i < stop_ && text.ends_with(character_); ++i) {
        text.remove_suffix(character_.size());
      }
      token = std::string(text);
    }
  }

 private:
  std::string character_;
  size_t start_;
  size_t stop_;
};

class ReplaceLiteralStep : public DecoderStep {
 public:
  ReplaceLiteralStep(std::string literal, std::string content)
      : literal_(std::move(literal)), content_(std::move(content)) {}

  void Apply(std::vector<std::string>& tokens) const override {
    for (std::string& token : tokens) ReplaceAll(literal_, content_, token);
  }

  size_t max_growth() const override {
    return std::max<size_t>(1, (content_.size() + literal_.size() - 1) / literal_.size());
  }

 private:
  std::string literal_;
  std::string content_;
};

class ReplaceRegexStep : public DecoderStep {
 public:
  ReplaceRegexStep(Regex regex, std::string content)
      : regex_(std::move(regex)), content_(std::move(content)) {}

  void Apply(std::vector<std::string>& tokens) const override {
    for (std::string& token : tokens) {
      std::string out;
      size_t done = 0;
      for (auto match = regex_.Find(token, 0); match; match = regex_.Find(token, done)) {
        out.append(token, done, match->begin - done);
        out += content_;
        done = match->end;
      }
      out.append(token, done);
      token = std::move(out);
    }
  }

  // A match may be of one byte.
  size_t max_growth() const override { return std::max<size_t>(1, content_.size()); }

 private:
  Regex regex_;
  std::string content_;
};

class BpeStep : public DecoderStep {
 public:
  explicit BpeStep(std::string suffix) : suffix_(std::move(suffix)) {}

  void Apply(std::vector<std::string>& tokens) const override {
    for (size_t i = 0; i < tokens.size(); ++i) {
      ReplaceAll(suffix_, i + 1 == tokens.size() ? "" : " ", tokens[i]);
    }
  }

 private:
  std::string suffix_;
};

class CtcStep : public DecoderStep {
 public:
  CtcStep(std::string pad_token, std::string word_delimiter, bool cleanup)
      : pad_token_(std::move(pad_token)),
        word_delimiter_(std::move(word_delimiter)),
        cleanup_(cleanup) {}

  void Apply(std::vector<std::string>& tokens) const override {
    tokens.erase(std::unique(tokens.begin(), tokens.end()), tokens.end());
    for (std::string& token : tokens) {
      ReplaceAll(pad_token_, "", token);
      if (!cleanup_) continue;
      CleanUp(token);
      ReplaceAll(word_delimiter_, " ", token);
    }
    std::erase(tokens, "");
  }

 private:
  std::string pad_token_;
  std::string word_delimiter_;
  bool cleanup_;
};

}  // namespace

std::unique_ptr<DecoderStep> MakeWordPieceDecoder(std::string prefix, bool cleanup) {
  return std::make_unique<WordPieceStep>(std::move(prefix), cleanup);
}

std::unique_ptr<DecoderStep> MakeMetaspaceDecoder(std::string replacement, bool drops_first) {
  return std::make_unique<MetaspaceStep>(std::move(replacement), drops_first);
}

std::unique_ptr<DecoderStep> MakeByteLevelDecoder() { return std::make_unique<ByteLevelStep>(); }

std::unique_ptr<DecoderStep> MakeByteFallbackDecoder() {
  return std::make_unique<ByteFallbackStep>();
}

std::unique_ptr<DecoderStep> MakeFuseDecoder() { return std::make_unique<FuseStep>(); }

std::unique_ptr<DecoderStep> MakeStripDecoder(std::string character, size_t start, size_t stop) {
  return std::make_unique<StripStep>(std::move(character), start, stop);
}

std::unique_ptr<DecoderStep> MakeReplaceDecoder(std::string literal, std::string content) {
  return std::make_unique<ReplaceLiteralStep>(std::move(literal), std::move(content));
}

std::unique_ptr<DecoderStep> MakeReplaceDecoder(Regex regex, std::string content) {
  return std::make_unique<ReplaceRegexStep>(std::move(regex), std::move(content));
}

std::unique_ptr<DecoderStep> MakeBpeDecoder(std::string suffix) {
  return std::make_unique<BpeStep>(std::move(suffix));
}

std::unique_ptr<DecoderStep> MakeCtcDecoder(std::string pad_token, std::string word_delimiter,
                                            bool cleanup) {
  return std::make_unique<CtcStep>(std::move(pad_token), std::move(word_delimiter), cleanup);
}

}  // namespace embedding
