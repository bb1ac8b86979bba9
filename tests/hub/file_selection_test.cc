#include "hub/file_selection.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace embedding {
namespace {

using testing::AllOf;
using testing::ElementsAre;
using testing::HasSubstr;
using testing::UnorderedElementsAre;

std::vector<std::string> Select(const std::vector<std::string>& names) {
  Result<std::vector<std::string>> chosen = SelectModelFiles(names);
  EXPECT_TRUE(chosen.ok()) << (chosen.ok() ? "" : chosen.error().message);
  return chosen.ok() ? *chosen : std::vector<std::string>();
}

// The listing of BAAI/bge-m3 on the hub.
TEST(FileSelection, TakesOfBgeM3WhatItsServerNeeds) {
  EXPECT_THAT(Select({".gitattributes",
                      "1_Pooling/config.json",
                      "README.md",
                      "colbert_linear.pt",
                      "config.json",
                      "config_sentence_transformers.json",
                      "imgs/bm25.jpg",
                      "imgs/long.jpg",
                      "long.jpg",
                      "added_tokens.json",
                      "modules.json",
                      "onnx/Constant_7_attr__value",
                      "onnx/config.json",
                      "onnx/model.onnx",
                      "onnx/model.onnx_data",
                      "onnx/sentencepiece.bpe.model",
                      "onnx/special_tokens_map.json",
                      "onnx/tokenizer.json",
                      "onnx/tokenizer_config.json",
                      "pytorch_model.bin",
                      "sentence_bert_config.json",
                      "sentencepiece.bpe.model",
                      "sparse_linear.pt",
                      "special_tokens_map.json",
                      "tokenizer.json",
                      "tokenizer_config.json"}),
              ElementsAre("1_Pooling/config.json", "added_tokens.json", "colbert_linear.pt",
                          "config.json", "config_sentence_transformers.json", "modules.json",
                          "pytorch_model.bin", "sentence_bert_config.json", "sparse_linear.pt",
                          "special_tokens_map.json", "tokenizer.json", "tokenizer_config.json"));
}

TEST(FileSelection, TakesTheVocabularyWhereThereIsNoTokenizerJson) {
  EXPECT_THAT(
      Select({"config.json", "merges.txt", "model.safetensors", "vocab.json", "README.txt"}),
      ElementsAre("config.json", "merges.txt", "model.safetensors", "vocab.json"));
  EXPECT_THAT(Select({"config.json", "merges.txt", "model.safetensors", "tokenizer.json",
                      "tokenizer.model", "vocab.json"}),
              ElementsAre("config.json", "model.safetensors", "tokenizer.json"));
  EXPECT_THAT(Select({"0_Transformer/config.json", "0_Transformer/pytorch_model.bin",
                      "0_Transformer/vocab.txt", "1_Pooling/config.json", "modules.json"}),
              ElementsAre("0_Transformer/config.json", "0_Transformer/pytorch_model.bin",
                          "0_Transformer/vocab.txt", "1_Pooling/config.json", "modules.json"));
  for (const char* file :
       {"vocab.txt", "sentencepiece.bpe.model", "spiece.model", "spm.model", "tokenizer.model"}) {
    EXPECT_THAT(Select({"config.json", "model.safetensors", file}),
                UnorderedElementsAre("config.json", "model.safetensors", file));
  }
}

TEST(FileSelection, TakesTheModulesOfARoutersRoutes) {
  EXPECT_THAT(
      Select({"config_sentence_transformers.json", "modules.json", "router_config.json",
              "query_0_StaticEmbedding/model.safetensors", "query_0_StaticEmbedding/tokenizer.json",
              "document_0_Transformer/config.json", "document_0_Transformer/model.safetensors",
              "document_0_Transformer/chat_template.jinja", "document_0_Transformer/tokenizer.json",
              "document_1_Pooling/config.json", "2_Router/query_0_Dense/config.json",
              "2_Router/query_0_Dense/model.safetensors", "2_Router/router_config.json",
              "2_Router/onnx/model.onnx", "2_Router/query_0_Dense/1_Dense/config.json"}),
      UnorderedElementsAre(
          "config_sentence_transformers.json", "modules.json", "router_config.json",
          "query_0_StaticEmbedding/model.safetensors", "query_0_StaticEmbedding/tokenizer.json",
          "document_0_Transformer/config.json", "document_0_Transformer/model.safetensors",
          "document_0_Transformer/chat_template.jinja", "document_0_Transformer/tokenizer.json",
          "document_1_Pooling/config.json", "2_Router/query_0_Dense/config.json",
          "2_Router/query_0_Dense/model.safetensors", "2_Router/router_config.json"));
}

TEST(FileSelection, TakesTheAdaptersOfTasks) {
  EXPECT_THAT(Select({"config.json", "model.safetensors", "tokenizer.json",
                      "adapters/retrieval/adapter_config.json",
                      "adapters/retrieval/adapter_model.safetensors",
                      "adapters/retrieval/README.md", "adapters/text-matching/adapter_config.json",
                      "adapters/adapter_config.json", "adapters/.hidden/adapter_config.json",
                      "adapters/a/b/adapter_config.json", "others/retrieval/adapter_config.json"}),
              UnorderedElementsAre("config.json", "model.safetensors", "tokenizer.json",
                                   "adapters/retrieval/adapter_config.json",
                                   "adapters/retrieval/adapter_model.safetensors",
                                   "adapters/text-matching/adapter_config.json"));
}

TEST(FileSelection, TakesATableOfStaticEmbeddingsWithoutAConfig) {
  EXPECT_THAT(Select({"0_StaticEmbedding/model.safetensors", "0_StaticEmbedding/tokenizer.json",
                      "README.md", "modules.json"}),
              ElementsAre("0_StaticEmbedding/model.safetensors", "0_StaticEmbedding/tokenizer.json",
                          "modules.json"));
}

TEST(FileSelection, PrefersSafetensorsToPyTorch) {
  EXPECT_THAT(
      Select({"config.json", "flax_model.msgpack", "model.safetensors",
              "openvino/openvino_model.bin", "pytorch_model.bin", "tf_model.h5", "tokenizer.json"}),
      ElementsAre("config.json", "model.safetensors", "tokenizer.json"));
}

TEST(FileSelection, TakesTheShardsOfTheFormItTakes) {
  EXPECT_THAT(
      Select({"config.json", "model-00001-of-00002.safetensors", "model-00002-of-00002.safetensors",
              "model-of-.safetensors", "model.fp16-00001-of-00002.safetensors",
              "model.safetensors.index.json", "pytorch_model-00001-of-00002.bin",
              "pytorch_model.bin.index.json", "tokenizer.json"}),
      ElementsAre("config.json", "model-00001-of-00002.safetensors",
                  "model-00002-of-00002.safetensors", "model.safetensors.index.json",
                  "tokenizer.json"));
  EXPECT_THAT(Select({"config.json", "pytorch_model-00001-of-00001.bin",
                      "pytorch_model.bin.index.json", "tokenizer.json"}),
              ElementsAre("config.json", "pytorch_model-00001-of-00001.bin",
                          "pytorch_model.bin.index.json", "tokenizer.json"));
}

TEST(FileSelection, TakesTheWeightsOfModules) {
  EXPECT_THAT(
      Select({"1_Pooling/config.json", "2_Dense/config.json", "2_Dense/model.safetensors",
              "2_Dense/pytorch_model.bin", "3_Dense/config.json", "3_Dense/pytorch_model.bin",
              "config.json", "model.safetensors", "tokenizer.json"}),
      ElementsAre("1_Pooling/config.json", "2_Dense/config.json", "2_Dense/model.safetensors",
                  "3_Dense/config.json", "3_Dense/pytorch_model.bin", "config.json",
                  "model.safetensors", "tokenizer.json"));
}

TEST(FileSelection, TakesTheModulesOfEveryKind) {
  EXPECT_THAT(Select({"1_SpladePooling/config.json", "2_LayerNorm/config.json",
                      "2_LayerNorm/pytorch_model.bin", "3_Dropout/config.json",
                      "4_Asym/deep/config.json", "10_WordWeights/config.json", "config.json",
                      "model.safetensors", "modules.json", "tokenizer.json"}),
              ElementsAre("10_WordWeights/config.json", "1_SpladePooling/config.json",
                          "2_LayerNorm/config.json", "2_LayerNorm/pytorch_model.bin",
                          "3_Dropout/config.json", "config.json", "model.safetensors",
                          "modules.json", "tokenizer.json"));
}

// As models were laid out before 2021.
TEST(FileSelection, TakesATransformerFromItsFolder) {
  EXPECT_THAT(Select({"0_Transformer/config.json", "0_Transformer/pytorch_model.bin",
                      "0_Transformer/sentence_bert_config.json",
                      "0_Transformer/special_tokens_map.json", "0_Transformer/tokenizer.json",
                      "0_Transformer/tokenizer_config.json", "0_Transformer/vocab.txt",
                      "1_Pooling/config.json", "README.md", "config.json", "modules.json"}),
              ElementsAre("0_Transformer/config.json", "0_Transformer/pytorch_model.bin",
                          "0_Transformer/sentence_bert_config.json",
                          "0_Transformer/special_tokens_map.json", "0_Transformer/tokenizer.json",
                          "0_Transformer/tokenizer_config.json", "1_Pooling/config.json",
                          "config.json", "modules.json"));
  EXPECT_THAT(
      Select({"0_MLMTransformer/config.json", "0_MLMTransformer/model.safetensors",
              "0_MLMTransformer/tokenizer.json", "1_SpladePooling/config.json", "modules.json"}),
      ElementsAre("0_MLMTransformer/config.json", "0_MLMTransformer/model.safetensors",
                  "0_MLMTransformer/tokenizer.json", "1_SpladePooling/config.json",
                  "modules.json"));
}

TEST(FileSelection, PassesOverWhatOnlyLooksLikeAModule) {
  EXPECT_THAT(Select({"1_Pooling/.config.json", "1_Pooling/a b.json", "1_Pooling/deep/config.json",
                      "1_/config.json", "1_a b/config.json", "_Pooling/config.json", "config.json",
                      "model.safetensors", "tokenizer.json", "x1_Pooling/config.json"}),
              ElementsAre("config.json", "model.safetensors", "tokenizer.json"));
}

TEST(FileSelection, SaysWhatIsMissing) {
  const auto error = [](const std::vector<std::string>& names) {
    const Result<std::vector<std::string>> chosen = SelectModelFiles(names);
    return chosen.ok() ? "" : chosen.error().message;
  };
  EXPECT_THAT(error({}), HasSubstr("config.json"));
  EXPECT_THAT(error({"config.json", "model.safetensors"}), HasSubstr("tokenizer.json"));
  EXPECT_THAT(error({"config.json", "tokenizer.json", "onnx/model.onnx"}),
              AllOf(HasSubstr("model.safetensors"), HasSubstr("ONNX files are not read here")));
  EXPECT_THAT(error({"README.md", "bge-m3-Q4_K_M.gguf"}),
              AllOf(HasSubstr("GGUF"), HasSubstr("give the model that they were made from")));
  for (const char* alone : {"vocab.json", "merges.txt", "onnx/vocab.txt"}) {
    EXPECT_THAT(error({"config.json", "pytorch_model.bin", alone}),
                AllOf(HasSubstr("no tokenizer.json"), HasSubstr("vocab.json with merges.txt")));
  }
  EXPECT_THAT(error({"adapter_config.json", "adapter_model.safetensors", "tokenizer.json"}),
              HasSubstr("merge_and_unload()"));
  // Weights in a folder without what belongs to them.
  EXPECT_THAT(error({"0_Transformer/model.safetensors", "config.json", "tokenizer.json"}),
              HasSubstr("model.safetensors"));
}

}  // namespace
}  // namespace embedding
