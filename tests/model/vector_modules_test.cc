#include "model/vector_modules.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <nlohmann/json.hpp>
#include <string>
#include <utility>
#include <variant>

#include "model/model_spec_fixture.h"

namespace embedding {
namespace {

using testing::HasSubstr;

class VectorModulesTest : public ModelSpecTest {
 protected:
  template <typename T>
  T ModuleAt(size_t i) {
    const ModelSpec spec = ReadGood();
    const auto& modules = spec.heads().pooled->modules;
    if (i < modules.size() && std::holds_alternative<T>(modules[i])) return std::get<T>(modules[i]);
    ADD_FAILURE() << "module " << i << " is none of this kind";
    return {};
  }
};

TEST_F(VectorModulesTest, ReadsDense) {
  AddDense("2_Dense", 64, 32);
  AddDense("3_Dense", 32, 48);
  AddModule("sentence_transformers.models.Normalize", "4_Normalize");
  files_["3_Dense/config.json"]["bias"] = false;
  files_["3_Dense/config.json"]["activation_function"] = "torch.nn.modules.linear.Identity";
  files_["3_Dense/config.json"]["use_residual"] = true;
  const auto first = ModuleAt<DenseModule>(0);
  EXPECT_EQ(first.directory, dir_.File("2_Dense"));
  EXPECT_EQ(first.in_features, 64U);
  EXPECT_EQ(first.out_features, 32U);
  EXPECT_TRUE(first.bias);
  EXPECT_FALSE(first.residual);
  EXPECT_EQ(first.activation, Activation::kTanh);
  const auto second = ModuleAt<DenseModule>(1);
  EXPECT_FALSE(second.bias);
  EXPECT_TRUE(second.residual);
  EXPECT_TRUE(second.projects_residual());
  EXPECT_EQ(second.activation, Activation::kIdentity);
  EXPECT_EQ(ReadGood().heads().pooled->modules.size(), 2U);
  EXPECT_EQ(ReadGood().dimension(), 48U);
  EXPECT_TRUE(ReadGood().normalize);

  for (const auto& [name, activation] : {std::pair("ReLU", Activation::kRelu),
                                         {"GELU", Activation::kGelu},
                                         {"SiLU", Activation::kSilu},
                                         {"Sigmoid", Activation::kSigmoid}}) {
    files_["2_Dense/config.json"]["activation_function"] =
        "torch.nn.modules.activation." + std::string(name);
    EXPECT_EQ(ModuleAt<DenseModule>(0).activation, activation);
  }
  files_["2_Dense/config.json"].erase("activation_function");
  EXPECT_EQ(ModuleAt<DenseModule>(0).activation, Activation::kTanh);
}

TEST_F(VectorModulesTest, RefusesDenseThatDoesNotFit) {
  AddDense("2_Dense", 64, 32);
  AddDense("3_Dense", 32, 48);
  EXPECT_THAT(ErrorWith("3_Dense/config.json", "in_features", 64),
              HasSubstr("/3_Dense/config.json: in_features is 64, but the module before gives 32"));
  EXPECT_THAT(ErrorWith("2_Dense/config.json", "out_features", -32),
              HasSubstr("out_features must"));
  EXPECT_THAT(ErrorWith("2_Dense/config.json", "bias", "yes"), HasSubstr("bias must be true"));
  EXPECT_THAT(ErrorWith("2_Dense/config.json", "use_residual", 1), HasSubstr("use_residual must"));
  EXPECT_THAT(ErrorWith("2_Dense/config.json", "module_input_name", "token_embeddings"),
              HasSubstr("module 2: Dense is of tokens' vectors, and must come before"));
  EXPECT_THAT(ErrorWith("2_Dense/config.json", "module_output_name", "embedding"),
              HasSubstr("module_output_name \"embedding\" is not supported"));
  for (const char* path :
       {"torch.nn.modules.activation.Mish", "os.system", "my.code.Tanh", "Tanh"}) {
    EXPECT_THAT(ErrorWith("2_Dense/config.json", "activation_function", path),
                HasSubstr("activation_function \"" + std::string(path) + "\" is not supported"));
  }
}

TEST_F(VectorModulesTest, ModulesMayComeInAnyOrder) {
  AddModule("sentence_transformers.base.modules.normalize.Normalize", "2_Normalize");
  AddDense("3_Dense", 64, 32);
  AddModule("sentence_transformers.sentence_transformer.modules.layer_norm.LayerNorm",
            "4_LayerNorm");
  files_["4_LayerNorm/config.json"]["dimension"] = 32;
  ModuleAt<NormalizeModule>(0);
  ModuleAt<DenseModule>(1);
  const auto norm = ModuleAt<LayerNormModule>(2);
  EXPECT_EQ(norm.directory, dir_.File("4_LayerNorm"));
  EXPECT_FLOAT_EQ(norm.norm.eps, 1e-5F);
  EXPECT_TRUE(norm.norm.has_bias());
  EXPECT_FALSE(ReadGood().normalize);
  EXPECT_EQ(ReadGood().dimension(), 32U);

  EXPECT_THAT(ErrorWith("4_LayerNorm/config.json", "dimension", 64),
              HasSubstr("dimension is 64, but the module before gives 32"));
  files_["2_Normalize/config.json"]["module_input_name"] = "token_embeddings";
  EXPECT_THAT(ErrorMessage(), HasSubstr("module 2: Normalize is of tokens' vectors"));
}

}  // namespace
}  // namespace embedding
