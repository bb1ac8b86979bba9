#include "model/static_embedding.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cstdint>
#include <map>
#include <nlohmann/json.hpp>
#include <string>
#include <vector>

#include "temp_dir.h"
#include "weights/builders.h"

namespace embedding {
namespace {

using nlohmann::json;
using testing::AllOf;
using testing::ElementsAre;
using testing::HasSubstr;

// A table of three rows of two, whose files a test changes; references of whole models are
// tests/engine/module_references_test.cc's.
class StaticEmbeddingTest : public testing::Test {
 protected:
  struct Tensor {
    std::string dtype;
    std::vector<size_t> shape;
    std::string bytes;
  };

  void Write() {
    json header = json::object();
    std::string data;
    for (const auto& [name, tensor] : tensors_) {
      const size_t begin = data.size();
      data += tensor.bytes;
      header[name] = {
          {"dtype", tensor.dtype}, {"shape", tensor.shape}, {"data_offsets", {begin, data.size()}}};
    }
    dir_.Write("model.safetensors", Safetensors(header.dump(), data));
    dir_.Write("tokenizer.json", tokenizer_.dump());
  }

  Result<ModelSpec> Read() {
    Write();
    ModelSpec spec;
    spec.directory = spec.transformer_directory = dir_.path();
    const Status read = ReadStaticEmbedding(spec);
    if (!read.ok()) return read.error();
    return spec;
  }

  // The numbers of the whole table.
  Result<std::vector<float>> ReadTable() {
    auto spec = Read();
    if (!spec.ok()) return spec.error();
    const auto store = TensorStore::OpenDirectory(dir_.path());
    EXPECT_TRUE(store.ok());
    auto table = ReadStaticTable(spec->encoder(), *store);
    if (!table.ok()) return table.error();
    std::vector<float> numbers(table->elements());
    CopyToF32(*table, numbers);
    return numbers;
  }

  std::string ErrorMessage() {
    const auto table = ReadTable();
    EXPECT_FALSE(table.ok());
    return table.ok() ? "" : table.error().message;
  }

  const TempDir dir_;
  const std::string numbers_ = TensorBytes<float>({1, 2, 3, 4, 5, 6});
  std::map<std::string, Tensor> tensors_ = {{"embedding.weight", {"F32", {3, 2}, numbers_}}};
  json tokenizer_ = json::object();
};

TEST_F(StaticEmbeddingTest, IsAnEncoderWithoutLayers) {
  const auto spec = Read();
  ASSERT_TRUE(spec.ok()) << spec.error().message;
  EXPECT_TRUE(spec->is_static);
  EXPECT_TRUE(spec->encoder().layers.empty());
  EXPECT_EQ(spec->encoder().vocab_size, 3U);
  EXPECT_EQ(spec->encoder().hidden_size, 2U);
  EXPECT_EQ(spec->max_seq_length, kUnlimitedTokens);
  EXPECT_FALSE(spec->tokenizer.adds_special_tokens);
  EXPECT_THAT(*ReadTable(), ElementsAre(1, 2, 3, 4, 5, 6));
}

TEST_F(StaticEmbeddingTest, TheTokenizersOwnLimitCounts) {
  tokenizer_["truncation"] = {{"max_length", 12}, {"strategy", "LongestFirst"}};
  EXPECT_EQ(Read()->max_seq_length, 12U);
  tokenizer_["truncation"] = nullptr;
  EXPECT_EQ(Read()->max_seq_length, kUnlimitedTokens);
  tokenizer_["truncation"] = {{"max_length", 0}};
  EXPECT_THAT(ErrorMessage(), HasSubstr("max_length must be"));
}

TEST_F(StaticEmbeddingTest, Model2VecMapsTokensToRowsAndWeighsThem) {
  tensors_ = {{"embeddings", {"F32", {3, 2}, numbers_}}};
  EXPECT_THAT(*ReadTable(), ElementsAre(1, 2, 3, 4, 5, 6));
  tensors_["mapping"] = {"I64", {4}, TensorBytes<int64_t>({2, 0, 0, 1})};
  EXPECT_EQ(Read()->encoder().vocab_size, 4U);
  EXPECT_THAT(*ReadTable(), ElementsAre(5, 6, 1, 2, 1, 2, 3, 4));
  tensors_["mapping"] = {"I32", {4}, TensorBytes<int32_t>({2, 0, 0, 1})};
  tensors_["weights"] = {"F64", {4}, TensorBytes<double>({1, 2, 0.5, 10})};
  EXPECT_THAT(*ReadTable(), ElementsAre(5, 6, 2, 4, 0.5, 1, 30, 40));
  tensors_.erase("mapping");
  tensors_["weights"] = {"F32", {3}, TensorBytes<float>({1, 2, 3})};
  EXPECT_THAT(*ReadTable(), ElementsAre(1, 2, 6, 8, 15, 18));
}

TEST_F(StaticEmbeddingTest, ReadsModel2VecsConfig) {
  EXPECT_FALSE(ReadModel2VecConfig(dir_.path())->has_value());
  dir_.Write("config.json", R"({"model_type": "bert"})");
  EXPECT_FALSE(ReadModel2VecConfig(dir_.path())->has_value());
  dir_.Write("config.json", R"({"model_type": "model2vec"})");
  EXPECT_FALSE((*ReadModel2VecConfig(dir_.path()))->normalize);
  dir_.Write("config.json", R"({"model_type": "model2vec", "normalize": true})");
  EXPECT_TRUE((*ReadModel2VecConfig(dir_.path()))->normalize);
  dir_.Write("config.json", R"({"model_type": "model2vec", "normalize": 1})");
  EXPECT_FALSE(ReadModel2VecConfig(dir_.path()).ok());
}

TEST_F(StaticEmbeddingTest, RefusesTablesThatAreNone) {
  tensors_ = {{"weight", {"F32", {3, 2}, numbers_}}};
  EXPECT_THAT(ErrorMessage(), HasSubstr("neither embedding.weight nor embeddings"));
  tensors_ = {{"embedding.weight", {"F32", {6}, numbers_}}};
  EXPECT_THAT(ErrorMessage(), HasSubstr("embedding.weight must be a table"));
  tensors_ = {{"embeddings", {"F32", {3, 0}, ""}}};
  EXPECT_THAT(ErrorMessage(), HasSubstr("embeddings must be a table"));
  tensors_ = {{"embedding.weight", {"I32", {3, 2}, numbers_}}};
  EXPECT_THAT(ErrorMessage(), HasSubstr("embedding.weight"));
}

TEST_F(StaticEmbeddingTest, RefusesMappingsAndWeightsThatDoNotFit) {
  tensors_ = {{"embeddings", {"F32", {3, 2}, numbers_}}};
  const auto error_of = [&](const std::string& name, const Tensor& tensor) {
    const auto before = tensors_;
    tensors_[name] = tensor;
    std::string message = ErrorMessage();
    tensors_ = before;
    return message;
  };
  EXPECT_THAT(error_of("mapping", {"I64", {2}, TensorBytes<int64_t>({0, 3})}),
              AllOf(HasSubstr("the row 3 for token 1"), HasSubstr("3 rows")));
  EXPECT_THAT(error_of("mapping", {"I64", {2}, TensorBytes<int64_t>({-1, 0})}),
              HasSubstr("the row -1 for token 0"));
  EXPECT_THAT(error_of("mapping", {"F32", {2}, TensorBytes<float>({0, 1})}),
              HasSubstr("mapping must be a vector of i64 or i32"));
  EXPECT_THAT(error_of("mapping", {"I64", {1, 2}, TensorBytes<int64_t>({0, 1})}),
              HasSubstr("mapping must be a vector"));
  EXPECT_THAT(error_of("mapping", {"I64", {0}, ""}), HasSubstr("mapping"));
  EXPECT_THAT(error_of("weights", {"F32", {2}, TensorBytes<float>({1, 1})}),
              HasSubstr("weights has 2 numbers for 3 tokens"));
  EXPECT_THAT(error_of("weights", {"I32", {3}, TensorBytes<int32_t>({1, 1, 1})}),
              HasSubstr("weights must be a vector of floating-point numbers"));
}

}  // namespace
}  // namespace embedding
