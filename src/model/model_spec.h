// ModelSpec: what the JSON files of a model directory say about the model, checked and in one
// place.
//
// Read from config.json, config_sentence_transformers.json, modules.json and the modules' own
// config.json (1_Pooling, 2_Dense, ...), sentence_bert_config.json, tokenizer_config.json. The
// names are those of the files.
#pragma once

#include <cstddef>
#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <vector>

#include "base/result.h"
#include "embedding/similarity.h"
#include "model/architecture.h"
#include "model/families.h"
#include "model/message_template.h"
#include "model/routes.h"
#include "model/tokenizer_config.h"

namespace embedding {

struct ModelSpec {
  std::string directory;
  // Where config.json, tokenizer.json and the weights are: `directory` or, in models of before
  // 2021, 0_Transformer in it.
  std::string transformer_directory;
  const Family* family = nullptr;  // config.json's model_type; none of static embeddings
  bool is_static = false;          // a table, of vectors or of weights
  std::vector<std::string> architectures;
  Architecture architecture;
  // Of a classifier, the names of its logits.
  std::vector<std::string> labels;
  // Whether the tokens' weights come out of the checkpoint (Family::token_weights), not a file.
  bool token_weights_in_checkpoint = false;
  TokenizerConfig tokenizer;
  // Whether the list of modules ends with Normalize. (A request's `normalize` decides.)
  bool normalize = false;
  // Longest input in tokens, special tokens included, and that of texts with prompts of these
  // names.
  size_t max_seq_length = 0;
  std::map<std::string, size_t> limit_of_prompt;
  // Which of Encoder::adapters texts with prompts of these names have.
  std::map<std::string, int32_t> adapter_of_prompt;
  // Whose adapters are in folders of their own, by their numbers: Family::has_task_adapters.
  std::vector<std::string> tasks;
  // What texts are put into before they are tokenised, without special tokens then.
  std::optional<MessageTemplates> messages;
  // Where a language model's logits are a cross-encoder's score: that of the first token, minus
  // that of the second if there is one.
  struct LogitScore {
    size_t true_token = 0;
    std::optional<size_t> false_token;
  };
  std::optional<LogitScore> logit_score;
  // How many components of a vector are kept unless a request says it; all if empty.
  std::optional<size_t> truncate_dim;
  // How many the model was trained to be cut to, if it says so.
  std::vector<size_t> matryoshka_dimensions;
  // How two vectors are compared, where the model says it (similarity_fn_name).
  Similarity similarity = Similarity::kCosine;

  // config_sentence_transformers.json: texts to put before a text, by name, and which of them is
  // meant where none is named.
  std::map<std::string, std::string> prompts;
  std::optional<std::string> default_prompt_name;

  // What was taken for granted, or put right, and who runs the model should know: a sentence each.
  std::vector<std::string> warnings;

  const Encoder& encoder() const { return architecture.encoder; }
  const Heads& heads() const { return architecture.heads; }
  bool is_classifier() const { return !labels.empty(); }
  // Components of a dense vector; 0 of a model that has none.
  size_t dimension() const {
    return heads().pooled ? heads().pooled->dimension(encoder().hidden_size) : 0;
  }
};

// The name that stands for SPLADE among those of pooling modes.
inline constexpr char kSpladePooling[] = "splade";

// Reads and checks the files of `directory`, and takes what they leave out as sentence-transformers
// does:
//   - without modules.json: a classifier, if config.json's architectures say so; else, with the
//   heads
//     that FlagEmbedding's training of a bge-m3 leaves (sparse_linear.pt, colbert_linear.pt), the
//     first token, which those were trained with; else mean pooling, with a warning. No Dense, no
//     Normalize;
//   - max_seq_length: that of sentence_bert_config.json, else the tokenizer's model_max_length, but
//     never more than the model has positions for tokens;
//   - a Pooling without any mode: mean.
// `pooling` is the name of a mode, or kSpladePooling, that is taken instead of what the files say,
// or empty; a classifier has none.
//
// Errors: kModelLoad, naming file and field, for a missing or malformed file; a number that is
// absurd or not one; an unknown model_type, activation, module type or pooling mode; lists of
// modules that are not supported (sentence_modules.h); and values that contradict one another
// (hidden_size not a multiple of the heads, a pooling width other than hidden_size, Dense widths
// that do not chain). Whether the weights have these sizes shows when they are loaded.
Result<ModelSpec> ReadModelSpec(const std::string& directory, const std::string& pooling = {});

// Errors: kModelLoad where there is no directory of that name.
Status CheckModelIsThere(const std::string& directory);

// The same of one of the lists of a model's routes. The prompts are there of which routes are
// taken. A model whose routes give different lists is refused by the function above.
Result<ModelSpec> ReadModelSpec(const std::string& directory, const Routes& routes, size_t list,
                                const std::string& pooling);

}  // namespace embedding
