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
#include "model/tokenizer_config.h"

namespace embedding {

// kGelu is x Phi(x); kGeluTanh what Hendrycks and Gimpel (2016) approximate it by,
// x (1 + tanh(sqrt(2 / pi) (x + 0.044715 x^3))) / 2.
enum class Activation { kIdentity, kTanh, kRelu, kGelu, kGeluTanh, kSigmoid };

// config.json of an encoder.
struct EncoderConfig {
  ModelFamily family = ModelFamily::kBert;
  std::vector<std::string> architectures;
  std::string tokenizer_class;  // empty if config.json has none
  size_t hidden_size = 0;
  size_t num_hidden_layers = 0;
  size_t num_attention_heads = 0;
  size_t intermediate_size = 0;
  size_t vocab_size = 0;
  size_t max_position_embeddings = 0;
  size_t type_vocab_size = 0;
  float layer_norm_eps = 0;
  Activation activation = Activation::kGelu;  // hidden_act
  int32_t pad_token_id = 0;
  // Of a *ForSequenceClassification, by the number of its logit; empty for every other model.
  std::vector<std::string> labels;

  size_t head_dim() const { return hidden_size / num_attention_heads; }
  // Position of a text's first token: 0 for BERT, pad_token_id + 1 for (XLM-)RoBERTa.
  size_t position_offset() const {
    return family == ModelFamily::kBert ? 0 : static_cast<size_t>(pad_token_id) + 1;
  }
};

enum class Pooling { kCls, kMean, kMax, kMeanSqrtLenTokens, kWeightedMean, kLastToken };

// A `sentence_transformers.models.Dense` module: activation(W x + b), weights in `directory`.
struct DenseModuleConfig {
  std::string directory;
  size_t in_features = 0;
  size_t out_features = 0;
  bool bias = true;
  Activation activation = Activation::kTanh;
};

// What becomes of a masked-language head's logits, over the tokens of a text: the largest, or the
// sum, of log(1 + relu(logit)).
struct SpladePooling {
  bool sums = false;
  bool log_twice = false;  // log(1 + log(1 + relu(logit)))
  // How many of a text's weights are kept, the largest; all if empty.
  std::optional<size_t> max_active_dims;
};

struct ModelSpec {
  std::string directory;
  // Where config.json, tokenizer.json and the weights are: `directory` or, in models of before
  // 2021, 0_Transformer in it.
  std::string transformer_directory;
  EncoderConfig encoder;
  TokenizerConfig tokenizer;
  // The pooled vectors of several modes are concatenated in this order. Never empty.
  std::vector<Pooling> pooling;
  // Whether the tokens of a prompt are pooled too (1_Pooling's include_prompt).
  bool pools_prompt = true;
  std::vector<DenseModuleConfig> dense;
  // Whether the model itself ends with a Normalize module. (A request's `normalize` decides.)
  bool normalize = false;
  // Longest input in tokens, special tokens included.
  size_t max_seq_length = 0;
  // How many components of a vector are kept unless a request says it; all if empty.
  std::optional<size_t> truncate_dim;

  // config_sentence_transformers.json: texts to put before a text, by name, and which of them is
  // meant where none is named.
  std::map<std::string, std::string> prompts;
  std::optional<std::string> default_prompt_name;

  // Of a model whose masked-language head gives sparse vectors, as SPLADE's does.
  std::optional<SpladePooling> splade;

  // What was taken for granted, or put right, and who runs the model should know: a sentence each.
  std::vector<std::string> warnings;

  bool is_classifier() const { return !encoder.labels.empty(); }
  // Components of the final vector.
  size_t dimension() const;
};

// The name that stands for SpladePooling among those of pooling modes.
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

}  // namespace embedding
