#include "model/tensor_reader.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <nlohmann/json.hpp>
#include <string>
#include <utility>
#include <vector>

#include "model/encoder_tensors.h"
#include "temp_dir.h"
#include "weights/builders.h"

namespace embedding {
namespace {

using nlohmann::json;
using testing::AllOf;
using testing::ElementsAre;
using testing::HasSubstr;

class TensorReaderTest : public testing::Test {
 protected:
  // Each tensor counts on from the one before, by the order of names.
  TensorStore Open(const std::vector<std::pair<std::string, std::vector<size_t>>>& tensors) {
    json header = json::object();
    std::vector<float> data;
    for (const auto& [name, shape] : tensors) {
      size_t size = 1;
      for (const size_t n : shape) size *= n;
      header[name] = {{"dtype", "F32"},
                      {"shape", shape},
                      {"data_offsets", {data.size() * 4, (data.size() + size) * 4}}};
      for (size_t i = 0; i < size; ++i) data.push_back(static_cast<float>(data.size()));
    }
    dir_.Write("model.safetensors", Safetensors(header.dump(), TensorBytes(data)));
    auto store = TensorStore::OpenFile(dir_.File("model.safetensors"));
    EXPECT_TRUE(store.ok()) << store.error().message;
    return *std::move(store);
  }

  static std::vector<float> Values(const TensorView& tensor) {
    std::vector<float> values(tensor.elements());
    CopyToF32(tensor, values);
    return values;
  }

  TempDir dir_;
};

TEST_F(TensorReaderTest, TakesTheFormOfANameThatTheFileHas) {
  const TensorStore store =
      Open({{"new.norm.beta", {2}}, {"new.norm.gamma", {2}}, {"new.out.weight", {1, 2}}});
  const TensorReader reader = TensorReader(store, "").At("new");
  EXPECT_TRUE(reader.HasWeight("o_proj|out"));
  EXPECT_FALSE(reader.HasWeight("o_proj|ou"));
  EXPECT_EQ(reader.Linear("o_proj|out", 2, 1, false)->name, "new.out");
  const auto norm = reader.Norm("layer_norm|norm", Norm{}, 2);
  ASSERT_TRUE(norm.ok()) << norm.error().message;
  EXPECT_THAT(Values(*norm->bias), ElementsAre(0, 1));
  EXPECT_THAT(Values(norm->weight), ElementsAre(2, 3));
}

TEST_F(TensorReaderTest, DividesWhatIsFused) {
  const TensorStore store = Open({{"qkv.bias", {4}}, {"qkv.weight", {4, 2}}});
  const auto parts = TensorReader(store, "").Fused("qkv", 2, {2, 1, 1}, true);
  ASSERT_TRUE(parts.ok()) << parts.error().message;
  ASSERT_EQ(parts->size(), 3U);
  EXPECT_THAT(Values((*parts)[0].weight), ElementsAre(4, 5, 6, 7));
  EXPECT_THAT(Values((*parts)[1].weight), ElementsAre(8, 9));
  EXPECT_THAT(Values((*parts)[2].weight), ElementsAre(10, 11));
  EXPECT_THAT(Values(*(*parts)[0].bias), ElementsAre(0, 1));
  EXPECT_THAT(Values(*(*parts)[2].bias), ElementsAre(3));
  EXPECT_EQ((*parts)[2].out_features(), 1U);
  EXPECT_EQ((*parts)[2].in_features(), 2U);
  const auto wrong = TensorReader(store, "").Fused("qkv", 2, {2, 2, 2}, true);
  EXPECT_THAT(wrong.error().message,
              AllOf(HasSubstr("model.safetensors: tensor \"qkv.weight\" must have shape [6, 2]"),
                    HasSubstr("but it has [4, 2]")));
}

TEST_F(TensorReaderTest, TransposesIntoACopyOfItsOwn) {
  const TensorStore store = Open({{"w", {2, 3}}});
  const auto tensor = TensorReader(store, "").Tensor("w", {2, 3});
  ASSERT_TRUE(tensor.ok());
  EXPECT_THAT(Values(RowsOf(*tensor, 1, 1)), ElementsAre(3, 4, 5));
  const TensorView transposed = Transposed(*tensor);
  EXPECT_THAT(transposed.shape, ElementsAre(3, 2));
  EXPECT_THAT(Values(transposed), ElementsAre(0, 3, 1, 4, 2, 5));
}

TEST_F(TensorReaderTest, NamesWhatIsMissing) {
  const TensorStore store = Open({{"a.weight", {2, 2}}});
  EXPECT_THAT(TensorReader(store, "model").Linear("b|c", 2, 3).error().message,
              AllOf(HasSubstr("model.safetensors"),
                    HasSubstr("tensor \"model.b.weight\" of shape [3, 2] is missing")));
  EXPECT_THAT(TensorReader(store, "").Linear("a", 2, 2).error().message,
              HasSubstr("tensor \"a.bias\" of shape [2] is missing"));
}

TEST_F(TensorReaderTest, FindsTheEncoderBelowItsPrefixes) {
  const auto prefix = [&](const std::string& before) {
    const TensorStore store = Open({{before + "embeddings.word_embeddings.weight", {2, 2}}});
    for (const Family* family : Families()) {
      if (family->name() == "gte") return EncoderReader(store, *family, std::nullopt).prefix();
    }
    return std::string("there is no such family");
  };
  for (const char* name :
       {"", "gte", "new", "model", "0.auto_model", "0.auto_model.new", "module.gte"}) {
    EXPECT_EQ(prefix(*name == '\0' ? "" : std::string(name) + "."), name);
  }
  EXPECT_EQ(prefix("bert."), "");
}

}  // namespace
}  // namespace embedding
