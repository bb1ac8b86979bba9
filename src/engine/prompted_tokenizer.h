// PromptedTokenizer: texts and pairs with a prompt as the tokens that a model reads of them, put
// together as sentence-transformers does it: the prompt before the text, or both in the messages of
// a template.
//
// Thread-safety: immutable; any number of threads may encode at once.
#pragma once

#include <cstddef>
#include <cstdint>
#include <map>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "base/result.h"
#include "model/model_spec.h"
#include "text/tokenizer.h"

namespace embedding {

// One of a model's prompts, or none: both are "" then.
struct Prompt {
  std::string name = {};
  std::string text = {};
};

class PromptedTokenizer {
 public:
  // Both must outlive it.
  PromptedTokenizer(const ModelSpec& spec, const Tokenizer& tokenizer);

  // Of `options` the special tokens are the model's. Errors: kUnsupported for a text, or pairs, of
  // which the model's template of messages makes nothing.
  Result<Encoding> Encode(const Prompt& prompt, std::string_view text, EncodeOptions options) const;
  // The pairs of `first` with each of `seconds`. A prompt is before the first of the two.
  Result<std::vector<Encoding>> EncodePairs(const Prompt& prompt, std::string_view first,
                                            std::span<const std::string> seconds,
                                            EncodeOptions options) const;

  // How many of a text's first tokens are the prompt's, and so not pooled: those of the prompt by
  // itself, cut like a text, without a special one at its end. 0 where all are pooled.
  size_t PooledAfter(const Prompt& prompt, EncodeOptions options) const;

 private:
  // A template with the tokens that it ends with, whatever the texts are.
  struct Rendered {
    RenderedTemplate pieces;
    std::vector<int32_t> end;
  };
  using Templates = std::map<std::string, Rendered>;  // by the prompt's name

  Templates Prepare(const std::map<std::string, RenderedTemplate>& rendered) const;
  Encoding EncodePlain(std::string_view text, const EncodeOptions& options) const;
  Encoding EncodeFilled(const Rendered& rendered, std::string_view first, std::string_view second,
                        EncodeOptions options) const;
  static Result<const Rendered*> Find(const Templates& templates, const std::string& prompt,
                                      const std::string& reason);

  const ModelSpec& spec_;
  const Tokenizer& tokenizer_;
  Templates of_texts_;
  Templates of_pairs_;
};

}  // namespace embedding
