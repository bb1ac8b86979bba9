// How a text becomes an Encoding:
//   1. added tokens that are looked for in raw text are cut out of it;
//   2. what lies between them is normalised, and the other added tokens are cut out of that;
//   3. what lies between those is cut into words by the pre-tokenizers;
//   4. the model tokenises the words;
//   5. the post-processor truncates, and adds the special tokens.
// All texts go through the same buffers, one set a thread, as whole buffers: there is no object per
// word or character. Where each byte came from is kept only if offsets are wanted.
#include "text/tokenizer.h"

#include <algorithm>
#include <string>
#include <unordered_map>
#include <unordered_set>
#include <utility>

#include "base/json_value.h"
#include "base/mapped_file.h"
#include "base/utf8.h"
#include "text/tokenizer_components.h"
#include "text/tokenizer_overrides.h"
#include "text/unicode.h"

namespace embedding {
namespace {

// A thread keeps its buffers from text to text, unless a text is longer than this.
constexpr size_t kKeptTextBytes = size_t{1} << 20;

struct Buffers {
  NormalizedText normalized;
  NormalizedText spare_text;
  Words words;
  Words spare_words;
  std::vector<AddedTokens::Part> raw_parts;
  std::vector<AddedTokens::Part> normalized_parts;
  std::vector<Token> tokens;
  TokenSequence first;
  TokenSequence second;
};

// White space at the ends of a token, as RobertaProcessing counts it: U+0120 is how byte-level
// models write a space.
TokenSequence::Spaces CountSpaces(std::string_view text) {
  const auto is_space = [](char32_t c) { return c == 0x120 || IsWhitespace(c); };
  TokenSequence::Spaces spaces = {0, 0};
  bool only_spaces = true;
  for (size_t i = 0; i < text.size();) {
    const CodePoint c = DecodeUtf8(text, i);
    i += c.size_bytes;
    const bool is_space_here = is_space(c.value);
    only_spaces = only_spaces && is_space_here;
    if (only_spaces) ++spaces.leading;
    spaces.trailing = is_space_here ? spaces.trailing + 1 : 0;
  }
  return spaces;
}

class TokenizerImpl : public Tokenizer {
 public:
  static Result<std::unique_ptr<Tokenizer>> Make(TokenizerComponents components);

  Encoding Encode(std::string_view text, const EncodeOptions& options) const override {
    Buffers& buffers = ThreadBuffers();
    EncodeSequence(text, options.with_offsets, buffers, buffers.first);
    Encoding encoding = components_.post_processor.Process(buffers.first, nullptr, options);
    if (text.size() > kKeptTextBytes) buffers = {};
    return encoding;
  }

  std::vector<Encoding> EncodePairs(std::string_view first, std::span<const std::string> seconds,
                                    const EncodeOptions& options) const override {
    Buffers& buffers = ThreadBuffers();
    EncodeSequence(first, options.with_offsets, buffers, buffers.first);
    std::vector<Encoding> encodings;
    encodings.reserve(seconds.size());
    size_t longest = first.size();
    for (const std::string& second : seconds) {
      EncodeSequence(second, options.with_offsets, buffers, buffers.second);
      encodings.push_back(
          components_.post_processor.Process(buffers.first, &buffers.second, options));
      longest = std::max(longest, second.size());
    }
    if (longest > kKeptTextBytes) buffers = {};
    return encodings;
  }

  size_t vocab_size() const override { return vocab_size_; }
  size_t model_vocab_size() const override { return model_vocab_size_; }
  TruncationSide truncation_side() const override { return components_.truncation_side; }

  TemplateSize single_size() const override { return components_.post_processor.single.Size(); }
  TemplateSize pair_size() const override { return components_.post_processor.pair.Size(); }

  std::optional<int32_t> TokenToId(std::string_view token) const override {
    const auto added = added_ids_.find(token);
    if (added != added_ids_.end()) return added->second;
    return components_.model->vocabulary().IdOf(token);
  }

  Result<std::string> Decode(std::span<const int32_t> ids,
                             bool skip_special_tokens) const override {
    std::vector<std::string_view> tokens;
    for (const int32_t id : ids) {
      const auto added = decoded_texts_.find(id);
      const std::string_view token = added != decoded_texts_.end()
                                         ? added->second
                                         : components_.model->vocabulary().TextOf(id);
      if (token.empty() || (skip_special_tokens && special_texts_.contains(token))) continue;
      tokens.push_back(token);
    }
    return components_.decoder.Decode(tokens);
  }

  std::string_view IdToToken(int32_t id) const override {
    const auto added = added_texts_.find(id);
    if (added != added_texts_.end()) return added->second;
    return components_.model->vocabulary().TextOf(id);
  }

 private:
  TokenizerImpl() = default;

  Status AddTokens();
  static Buffers& ThreadBuffers() {
    thread_local Buffers buffers;
    return buffers;
  }
  void EncodeSequence(std::string_view text, bool with_offsets, Buffers& buffers,
                      TokenSequence& out) const;
  void CutIntoParts(std::string_view text, bool track, Buffers& buffers) const;
  void AddPart(const NormalizedText& part, std::vector<AddedTokens::Part>& parts,
               Words& words) const;

  TokenizerComponents components_;
  AddedTokens raw_tokens_;         // looked for in the raw text
  AddedTokens normalized_tokens_;  // looked for in the normalised text
  bool needs_origins_ = false;
  size_t vocab_size_ = 0;
  size_t model_vocab_size_ = 0;
  // Views of components_.added_tokens.
  std::unordered_map<std::string_view, int32_t> added_ids_;
  std::unordered_map<int32_t, std::string_view> added_texts_;
  std::unordered_set<std::string_view> special_texts_;
  // What decoding begins with: the normalised text of tokens that are looked for in such.
  std::unordered_map<int32_t, std::string> decoded_texts_;
};

Result<std::unique_ptr<Tokenizer>> TokenizerImpl::Make(TokenizerComponents components) {
  std::unique_ptr<TokenizerImpl> tokenizer(new TokenizerImpl);
  tokenizer->components_ = std::move(components);
  const TokenizerComponents& parts = tokenizer->components_;
  tokenizer->needs_origins_ =
      std::any_of(parts.pre_tokenizers.begin(), parts.pre_tokenizers.end(),
                  [](const auto& pre_tokenizer) { return pre_tokenizer->needs_origins(); });
  RETURN_IF_ERROR(tokenizer->AddTokens());
  size_t limit = parts.model->vocabulary().id_limit();
  for (const Template* format : {&parts.post_processor.single, &parts.post_processor.pair}) {
    for (const Template::Piece& piece : format->pieces) {
      limit = std::max(limit, static_cast<size_t>(piece.id) + 1);
    }
  }
  tokenizer->model_vocab_size_ = limit;
  for (const AddedToken& token : parts.added_tokens) {
    limit = std::max(limit, static_cast<size_t>(token.id) + 1);
  }
  tokenizer->vocab_size_ = limit;
  return std::unique_ptr<Tokenizer>(std::move(tokenizer));
}

Status TokenizerImpl::AddTokens() {
  std::vector<AddedToken> raw;
  std::vector<AddedToken> normalized;
  NormalizedText text;
  NormalizedText spare;
  for (const AddedToken& token : components_.added_tokens) {
    added_ids_[token.content] = token.id;
    added_texts_[token.id] = token.content;
    if (token.special) special_texts_.insert(token.content);
    text.Assign(token.content, 0, false);
    if (token.normalized) {
      for (const auto& normalizer : components_.normalizers) normalizer->Apply(text, spare);
    }
    decoded_texts_[token.id] = text.text;
    if (token.special && components_.split_special_tokens) continue;
    std::vector<AddedToken>& looked_for = token.normalized ? normalized : raw;
    looked_for.push_back(token);
    looked_for.back().content = text.text;
  }
  ASSIGN_OR_RETURN(raw_tokens_, AddedTokens::Build(std::move(raw)));
  ASSIGN_OR_RETURN(normalized_tokens_, AddedTokens::Build(std::move(normalized)));
  return {};
}

// Adds a normalised part of the text, with the added tokens that are looked for in such.
void TokenizerImpl::AddPart(const NormalizedText& part, std::vector<AddedTokens::Part>& parts,
                            Words& words) const {
  const size_t begin = words.text.text.size();
  words.text.AppendFrom(part, 0, part.text.size());
  if (normalized_tokens_.empty()) {
    words.Add(begin, words.text.text.size());
    return;
  }
  normalized_tokens_.Split(part.text, parts);
  for (const AddedTokens::Part& p : parts) words.Add(begin + p.begin, begin + p.end, p.id);
}

void TokenizerImpl::CutIntoParts(std::string_view text, bool track, Buffers& buffers) const {
  buffers.words.Reset(track);
  raw_tokens_.Split(text, buffers.raw_parts);
  uint32_t first_char = 0;
  for (const AddedTokens::Part& part : buffers.raw_parts) {
    NormalizedText& normalized = buffers.normalized;
    first_char =
        normalized.Assign(text.substr(part.begin, part.end - part.begin), first_char, track);
    if (part.id != AddedTokens::Part::kNoToken) {
      const size_t begin = buffers.words.text.text.size();
      buffers.words.text.AppendFrom(normalized, 0, normalized.text.size());
      buffers.words.Add(begin, buffers.words.text.text.size(), part.id);
      continue;
    }
    for (const auto& normalizer : components_.normalizers) {
      normalizer->Apply(normalized, buffers.spare_text);
    }
    AddPart(normalized, buffers.normalized_parts, buffers.words);
  }
}

void TokenizerImpl::EncodeSequence(std::string_view text, bool with_offsets, Buffers& buffers,
                                   TokenSequence& out) const {
  CutIntoParts(text, with_offsets || needs_origins_, buffers);
  Words& words = buffers.words;
  for (const auto& pre_tokenizer : components_.pre_tokenizers) {
    pre_tokenizer->Apply(words, buffers.spare_words);
  }
  out.Clear();
  std::vector<Token>& tokens = buffers.tokens;
  tokens.clear();
  for (const Word& word : words.words) {
    const size_t before = tokens.size();
    if (word.id == Word::kForModel) {
      components_.model->Tokenize(words.TextOf(word), word.begin, tokens);
    } else {
      tokens.push_back({word.id, word.begin, word.end});
    }
    out.words.push_back(
        {static_cast<uint32_t>(tokens.size() - before), word.id != Word::kForModel});
  }
  out.ids.resize(tokens.size());
  std::transform(tokens.begin(), tokens.end(), out.ids.begin(),
                 [](const Token& token) { return token.id; });
  if (!with_offsets) return;
  size_t token_index = 0;
  for (const TokenSequence::WordTokens& word : out.words) {
    for (uint32_t i = 0; i < word.count; ++i) {
      const Token& token = tokens[token_index++];
      out.offsets.push_back(
          {words.text.origin[token.begin].begin, words.text.origin[token.end - 1].end});
      if (!components_.post_processor.trims_offsets()) continue;
      const std::string_view covered = words.TextOf({token.begin, token.end});
      out.spaces.push_back(
          CountSpaces(word.added ? covered : components_.model->TextOf(token, covered)));
    }
  }
}

}  // namespace

Result<std::unique_ptr<Tokenizer>> Tokenizer::FromDocument(const JsonValue& document,
                                                           const TokenizerOverrides& overrides) {
  ASSIGN_OR_RETURN(TokenizerComponents components, ParseComponents(document, overrides));
  return TokenizerImpl::Make(std::move(components));
}

Result<std::unique_ptr<Tokenizer>> Tokenizer::FromJson(std::string_view json) {
  ASSIGN_OR_RETURN(const JsonValue document, JsonValue::Parse(json, ""));
  return FromDocument(document, {});
}

Result<std::unique_ptr<Tokenizer>> Tokenizer::FromFile(const std::string& path) {
  ASSIGN_OR_RETURN(const MappedFile file, MappedFile::Open(path));
  const std::span<const std::byte> bytes = file.bytes();
  Result<std::unique_ptr<Tokenizer>> tokenizer =
      FromJson({reinterpret_cast<const char*>(bytes.data()), bytes.size()});
  if (!tokenizer) return std::move(tokenizer).error().At(path);
  return tokenizer;
}

}  // namespace embedding
