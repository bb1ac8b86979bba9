#include "model/sparse_static_embedding.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <nlohmann/json.hpp>
#include <string>
#include <vector>

#include "model/model_spec.h"
#include "temp_dir.h"
#include "weights/builders.h"

namespace embedding {
namespace {

using nlohmann::json;
using testing::Contains;
using testing::ElementsAre;
using testing::HasSubstr;

// A model of three weights alone, whose files a test changes; references of whole ones are
// tests/engine/family_references_test.cc's.
class SparseStaticEmbeddingTest : public testing::Test {
 protected:
  Result<ModelSpec> Read(const std::string& pooling = {}) {
    const json header = {
        {name_, {{"dtype", dtype_}, {"shape", shape_}, {"data_offsets", {0, numbers_.size()}}}}};
    dir_.Write("model.safetensors", Safetensors(header.dump(), numbers_));
    dir_.Write("modules.json", modules_.dump());
    dir_.Write("config.json", config_.dump());
    dir_.Write("tokenizer_config.json", tokenizer_config_.dump());
    return ReadModelSpec(dir_.path(), pooling);
  }

  Result<std::vector<float>> ReadTable() {
    const auto spec = Read();
    if (!spec.ok()) return spec.error();
    const auto store = TensorStore::OpenDirectory(dir_.path());
    EXPECT_TRUE(store.ok());
    const auto tensors = ReadTensors(*spec, *store);
    if (!tensors.ok()) return tensors.error();
    const TensorView& table = tensors->encoder.word_embeddings;
    EXPECT_THAT(table.shape, ElementsAre(3, 1));
    std::vector<float> numbers(table.elements());
    CopyToF32(table, numbers);
    return numbers;
  }

  std::string ErrorMessage() {
    const auto table = ReadTable();
    EXPECT_FALSE(table.ok());
    return table.ok() ? "" : table.error().message;
  }

  static json Module(const std::string& kind, const std::string& path) {
    return {{"path", path}, {"type", "sentence_transformers.sparse_encoder.models." + kind}};
  }

  const TempDir dir_;
  std::string name_ = "weight";
  std::string dtype_ = "F32";
  std::vector<size_t> shape_ = {3};
  std::string numbers_ = TensorBytes<float>({0.5F, 0, -2});
  json modules_ = json::array({Module("SparseStaticEmbedding", "")});
  json config_ = {{"frozen", true}};
  json tokenizer_config_ = {{"tokenizer_class", "BertTokenizer"}, {"model_max_length", 12}};
};

TEST_F(SparseStaticEmbeddingTest, IsATableOfWeightsAlone) {
  const auto spec = Read();
  ASSERT_TRUE(spec.ok()) << spec.error().message;
  EXPECT_TRUE(spec->is_static);
  EXPECT_FALSE(spec->heads().pooled);
  EXPECT_EQ(spec->dimension(), 0U);
  EXPECT_EQ(spec->encoder().vocab_size, 3U);
  EXPECT_EQ(spec->max_seq_length, 12U);
  EXPECT_FALSE(spec->tokenizer.adds_special_tokens);
  EXPECT_FALSE(spec->heads().token_weights->max_active_dims);
  EXPECT_THAT(*ReadTable(), ElementsAre(0.5F, 0, -2));
}

TEST_F(SparseStaticEmbeddingTest, ATokenizerWithoutALimitHasNone) {
  tokenizer_config_.erase("model_max_length");
  EXPECT_EQ(Read()->max_seq_length, kUnlimitedTokens);
}

TEST_F(SparseStaticEmbeddingTest, KeepsAsManyWeightsAsTheModelSays) {
  dir_.Write("config_sentence_transformers.json", R"({"max_active_dims": 2})");
  EXPECT_EQ(Read()->heads().token_weights->max_active_dims, 2U);
}

TEST_F(SparseStaticEmbeddingTest, HasNoPoolingToChange) {
  const auto spec = Read("mean");
  ASSERT_TRUE(spec.ok()) << spec.error().message;
  EXPECT_THAT(spec->warnings, Contains(HasSubstr("a table of weights, which --pooling does not")));
}

// Of another model that was in the directory.
TEST_F(SparseStaticEmbeddingTest, TakesNoHeadsOfFilesBesideIt) {
  dir_.Write("colbert_linear.pt", "");
  dir_.Write("sparse_linear.pt", "");
  EXPECT_FALSE(Read()->heads().token_vectors);
  EXPECT_THAT(*ReadTable(), ElementsAre(0.5F, 0, -2));
}

TEST_F(SparseStaticEmbeddingTest, RefusesWhatIsNoVectorOfNumbers) {
  name_ = "weights";
  EXPECT_THAT(ErrorMessage(), HasSubstr("there is no tensor weight"));
  name_ = "weight";
  shape_ = {3, 1};
  EXPECT_THAT(ErrorMessage(), HasSubstr("weight must be a vector of a number for each token"));
  shape_ = {0};
  numbers_.clear();
  EXPECT_THAT(ErrorMessage(), HasSubstr("weight must be a vector"));
  shape_ = {3};
  dtype_ = "I32";
  numbers_ = TensorBytes<int32_t>({1, 2, 3});
  EXPECT_THAT(ErrorMessage(), HasSubstr("weight"));
}

TEST_F(SparseStaticEmbeddingTest, RefusesWeightsInAnotherFile) {
  config_["path"] = "idf.json";
  EXPECT_THAT(ErrorMessage(), HasSubstr("path: weights in a JSON file are not read"));
}

TEST_F(SparseStaticEmbeddingTest, NothingFollowsIt) {
  modules_.push_back(Module("SpladePooling", "1_SpladePooling"));
  EXPECT_THAT(ErrorMessage(), HasSubstr("\"SpladePooling\" is not supported here"));
}

}  // namespace
}  // namespace embedding
