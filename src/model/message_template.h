// The template of messages of a model's tokenizer ("chat template"), rendered around the texts that
// a request will bring.
#pragma once

#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/result.h"
#include "model/jinja/text.h"
#include "model/tokenizer_config.h"

namespace embedding {

// What is tokenised of a text or pair: pieces that are said, and places for the texts.
using RenderedTemplate = std::vector<jinja::Piece>;

// How sentence-transformers puts texts into messages (sentence_bert_config.json's modality_config).
struct MessageOptions {
  // "flat", where a message's content is the text; "structured", where it is a list of parts; or
  // "auto", as the template suggests.
  std::string format = "auto";
  // processing_kwargs: what the template is given besides the messages, as far as it is simple.
  std::map<std::string, bool> flags = {};
};

// Rendered for each prompt by its name, and for none, "". A prompt is the system's message, a text
// the user's; of a pair the first is that of the role "query", the second of "document".
struct MessageTemplates {
  std::map<std::string, RenderedTemplate> of_texts;
  std::map<std::string, RenderedTemplate> of_pairs;
  // Why one of them is empty.
  std::string without_texts;
  std::string without_pairs;
};

// Reads chat_template.jinja, or tokenizer_config.json's chat_template, and renders it with each of
// the prompts. Errors: kModelLoad where there is no template, and where it renders neither texts
// nor pairs, naming what is not supported in it.
Result<MessageTemplates> ReadMessageTemplates(const TokenizerConfig& tokenizer,
                                              const MessageOptions& options,
                                              const std::map<std::string, std::string>& prompts);

// The template with these texts in their places.
std::string Fill(const RenderedTemplate& rendered, std::string_view first, std::string_view second);

}  // namespace embedding
