// The files of a model's directory, by name. The weights' own are in weights/weight_files.h.
#pragma once

#include <string_view>

namespace embedding {

// What the Transformer module of sentence-transformers is made with; the name has changed with the
// kinds of models.
inline constexpr std::string_view kTransformerModuleFiles[] = {
    "sentence_bert_config.json",       "sentence_roberta_config.json",
    "sentence_distilbert_config.json", "sentence_camembert_config.json",
    "sentence_albert_config.json",     "sentence_xlm-roberta_config.json",
    "sentence_xlnet_config.json"};

// bge-m3's heads beside the dense one.
inline constexpr char kSparseFile[] = "sparse_linear.pt";
inline constexpr char kColbertFile[] = "colbert_linear.pt";

// What a tokenizer was made of before there was tokenizer.json, and still is where that is not.
inline constexpr std::string_view kVocabularyFiles[] = {
    "vocab.txt",    "vocab.json", "merges.txt",     "sentencepiece.bpe.model",
    "spiece.model", "spm.model",  "tokenizer.model"};

// A tokenizer's template of messages.
inline constexpr char kTemplateFile[] = "chat_template.jinja";

// In which a model has a folder for each of its tasks' adapters, and what is in those.
inline constexpr char kAdaptersFolder[] = "adapters";
inline constexpr std::string_view kAdapterFiles[] = {"adapter_config.json",
                                                     "adapter_model.safetensors"};

// All others beside the weights, at the top of the directory or in the folder of a Transformer. The
// folders of the other modules have a config.json, and perhaps weights.
inline constexpr std::string_view kModelFiles[] = {
    "config.json",       "modules.json",          "config_sentence_transformers.json",
    "tokenizer.json",    "tokenizer_config.json", "special_tokens_map.json",
    "added_tokens.json", "router_config.json",    kTemplateFile};

}  // namespace embedding
