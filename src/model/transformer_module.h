// sentence_bert_config.json: what the Transformer module of sentence-transformers is made with.
#pragma once

#include <cstddef>
#include <map>
#include <optional>
#include <string>

#include "base/result.h"
#include "model/message_template.h"

namespace embedding {

struct TransformerModule {
  std::string path;  // of the file; empty if there is none
  std::optional<size_t> max_seq_length;
  // Another limit of texts with a prompt of that name: "query", "document".
  std::map<std::string, size_t> limit_of_prompt;
  bool lower_case = false;  // texts, before the tokenizer
  // How texts are put into messages, where they are.
  std::optional<MessageOptions> messages;
};

// Reads the file of `directory`, whose name has changed with the kinds of models. Arguments for the
// tokenizer and the configuration are read where they limit a text's length, and refused where they
// would change what is computed; those for loading the weights (model_args) are let be. Errors:
// kModelLoad, naming file and field.
Result<TransformerModule> ReadTransformerModule(const std::string& directory);

}  // namespace embedding
