// MLX on the CPU against the CPU backend.
#include <gtest/gtest.h>
#include <mlx/stream.h>

#include <cmath>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "backends/against_cpu.h"
#include "backends/mlx/mlx_backend.h"
#include "backends/random_model.h"
#include "embedding/device.h"

namespace embedding {
namespace {

// Head sizes that Metal's fused attention takes (64) and those that it does not (32, 26); products
// whose sizes are no powers of two; heads that are together narrower or wider than the hidden size.
const Shape kShapes[] = {
    {64, 2, 32, 256, 2, Activation::kGelu, std::nullopt},
    {128, 2, 64, 96, 3, Activation::kGelu, 1},
    {78, 3, 26, 100, 1, Activation::kGeluTanh, std::nullopt},
    {48, 5, 8, 64, 2, Activation::kRelu, 1},
    {40, 1, 64, 33, 2, Activation::kGeluTanh, std::nullopt},
    {32, 2, 16, 64, 1, Activation::kSigmoid, std::nullopt},
    {32, 2, 16, 64, 1, Activation::kTanh, std::nullopt},
};

class RandomModels : public testing::TestWithParam<Shape> {};
INSTANTIATE_TEST_SUITE_P(All, RandomModels, testing::ValuesIn(kShapes));

TEST_P(RandomModels, GiveWhatTheCpuGives) {
  const auto mlx = *OpenMlxCpuBackend(/*compiled=*/false);
  ExpectWhatTheCpuGives(
      *mlx, GetParam(),
      {{ComputeType::kF32, 2e-5}, {ComputeType::kF16, 2e-2}, {ComputeType::kBF16, 1.5e-1}});
}

constexpr Norm kRms = {.eps = 1e-6F, .kind = NormKind::kRms};

Rope MakeRope(size_t pairs, float theta) {
  Rope rope;
  for (size_t i = 0; i < pairs; ++i) {
    rope.frequencies.push_back(std::pow(theta, -static_cast<float>(i) / static_cast<float>(pairs)));
  }
  return rope;
}

// An encoder without tables of positions and types, whose layers are changed one by one.
Encoder Modern(const std::function<void(Layer& layer, size_t i)>& change) {
  Encoder encoder = Of(kShapes[0], {}).encoder;
  encoder.positions = {};
  encoder.token_types = 0;
  for (size_t i = 0; i < encoder.layers.size(); ++i) change(encoder.layers[i], i);
  return encoder;
}

struct Kind {
  const char* name;
  Encoder encoder;
};

// One for each thing that the data of architecture.h may say, in the company that it has in models.
std::vector<Kind> Kinds() {
  const auto pre_norm = [](Layer& layer, const Norm& norm) {
    layer.attention_norms = {.input = norm, .branch = {}, .output = {}};
    layer.feed_forward_norms = {.input = norm, .branch = {}, .output = {}};
  };
  std::vector<Kind> kinds;
  // Windows in some layers, two ropes, no biases, gates, the first layer without a norm.
  kinds.push_back({"ModernBert", Modern([&](Layer& layer, size_t i) {
                     pre_norm(layer, {.eps = 1e-5F, .bias = false});
                     if (i == 0) layer.attention_norms.input.reset();
                     if (i > 0) layer.attention.window = 8;
                     layer.attention.rope = MakeRope(16, i > 0 ? 100.0F : 10000.0F);
                     layer.attention.qkv_bias = layer.attention.output_bias = false;
                     layer.feed_forward.gated = true;
                     layer.feed_forward.intermediate_bias = false;
                     layer.feed_forward.output_bias = false;
                   })});
  kinds.back().encoder.final_norm = Norm{.eps = 1e-5F, .bias = false};
  kinds.push_back({"Qwen", Modern([&](Layer& layer, size_t) {
                     pre_norm(layer, kRms);
                     layer.attention.heads = 4;
                     layer.attention.head_dim = 16;
                     layer.attention.kv_heads = 2;
                     layer.attention.causal = true;
                     layer.attention.query_norm = layer.attention.key_norm = kRms;
                     layer.attention.rope = MakeRope(8, 10000.0F);
                     layer.feed_forward.gated = true;
                     layer.feed_forward.activation = Activation::kSilu;
                   })});
  kinds.back().encoder.embeddings_norm.reset();
  kinds.back().encoder.final_norm = kRms;
  kinds.push_back({"Gemma", Modern([&](Layer& layer, size_t i) {
                     Norm norm = kRms;
                     norm.plus_one = true;
                     layer.attention_norms = {.input = norm, .branch = norm, .output = {}};
                     layer.feed_forward_norms = {.input = norm, .branch = norm, .output = {}};
                     layer.attention.kv_heads = 1;
                     if (i > 0) layer.attention.window = 5;
                     layer.attention.causal = i > 0;
                     layer.attention.rope = MakeRope(6, 1000.0F);  // of 12 numbers of 32
                     layer.attention.rope->interleaved = true;
                     layer.attention.rope->factor = 1.3F;
                     layer.feed_forward.gated = true;
                     layer.feed_forward.activation = Activation::kGeluTanh;
                   })});
  kinds.back().encoder.embedding_scale = 3;
  kinds.push_back({"T5", Modern([&](Layer& layer, size_t) {
                     pre_norm(layer, kRms);
                     layer.attention.scale = 1;
                   })});
  kinds.back().encoder.relative_bias = RelativeBias{32, 60};
  kinds.back().encoder.final_norm = kRms;
  Encoder shared = Of(kShapes[0], {}).encoder;
  for (Layer& layer : shared.layers) layer.weights = 0;
  shared.embedding_size = 20;
  shared.projected_norm = kRms;
  kinds.push_back({"Albert", shared});
  Encoder without_layers = Modern([](Layer&, size_t) {});
  without_layers.layers.clear();
  without_layers.embeddings_norm.reset();
  kinds.push_back({"Static", without_layers});
  return kinds;
}

TEST(MlxBackend, ComputesWhatArchitecturesMaySay) {
  const auto mlx = *OpenMlxCpuBackend(/*compiled=*/false);
  std::vector<Heads> heads = AllHeads(kShapes[0].hidden_size);
  Heads classifier;
  classifier.classifier = Classifier{.labels = 2, .pooling = Pooling::kMean, .dense = {}};
  classifier.classifier->norm = Norm{.eps = 1e-5F, .bias = false};
  heads.push_back(classifier);
  for (const auto& [name, encoder] : Kinds()) {
    SCOPED_TRACE(name);
    ExpectWhatTheCpuGives(
        *mlx, heads, encoder,
        {{ComputeType::kF32, 5e-5}, {ComputeType::kF16, 4e-2}, {ComputeType::kBF16, 3e-1}});
  }
}

TEST(MlxBackend, ExpertsAreRefused) {
  const auto mlx = *OpenMlxCpuBackend(/*compiled=*/false);
  Architecture architecture = Of(kShapes[0], AllHeads(kShapes[0].hidden_size)[1]);
  architecture.encoder.layers[0].feed_forward.experts = Experts{4, 2};
  const RandomModel model(architecture);
  const auto session = mlx->Load(model.architecture(), model.tensors(), ComputeType::kF32);
  ASSERT_FALSE(session.ok());
  EXPECT_EQ(session.error().code, ErrorCode::kDeviceUnavailable);
  EXPECT_NE(session.error().message.find("experts"), std::string::npos);
}

TEST(MlxSession, CompiledLayersGiveTheSame) {
  const auto mlx = *OpenMlxCpuBackend(/*compiled=*/true);
  const auto cpu = *OpenBackend({.device = "cpu", .threads = 2});
  const Heads heads = AllHeads(kShapes[0].hidden_size).front();
  for (const Encoder& encoder : {Of(kShapes[0], {}).encoder, Kinds()[0].encoder}) {
    const RandomModel model(Architecture{encoder, heads});
    const auto session = Load(*mlx, model, ComputeType::kF32);
    const auto reference = Load(*cpu, model, ComputeType::kF32);
    for (int i = 0; i < 2; ++i) Compare(*session, *reference, Sequences(heads), heads, 5e-5);
  }
}

// MLX keeps each stream for ever.
TEST(MlxSession, ThoseThatEndLeaveNoStreamsBehind) {
  const auto mlx = *OpenMlxCpuBackend(/*compiled=*/false);
  const RandomModel model(Of(kShapes[0], AllHeads(kShapes[0].hidden_size)[1]));
  ASSERT_NE(Load(*mlx, model, ComputeType::kF32), nullptr);
  const size_t streams = mlx::core::get_streams().size();
  for (int i = 0; i < 3; ++i) ASSERT_NE(Load(*mlx, model, ComputeType::kF32), nullptr);
  EXPECT_EQ(mlx::core::get_streams().size(), streams);
}

// Of numbers beyond 65,504.
TEST(MlxSession, AModelThatIsTooLargeForF16IsRefusedInIt) {
  const auto mlx = *OpenMlxCpuBackend(/*compiled=*/false);
  const Heads heads = AllHeads(kShapes[0].hidden_size)[1];
  const RandomModel model(Of(kShapes[0], heads), 3e5F);
  const auto f16 = mlx->Load(model.architecture(), model.tensors(), ComputeType::kF16);
  ASSERT_FALSE(f16.ok());
  EXPECT_EQ(f16.error().code, ErrorCode::kModelLoad);
  EXPECT_NE(f16.error().message.find("choose the dtype bf16"), std::string::npos);
  EXPECT_NE(Load(*mlx, model, ComputeType::kBF16), nullptr);
}

TEST(MlxBackend, SaysWhichTypesItHas) {
  const auto mlx = *OpenMlxCpuBackend(/*compiled=*/false);
  const RandomModel model(Of(kShapes[0], AllHeads(kShapes[0].hidden_size)[1]));
  const auto int8 = mlx->Load(model.architecture(), model.tensors(), ComputeType::kInt8);
  ASSERT_FALSE(int8.ok());
  EXPECT_EQ(int8.error().code, ErrorCode::kDeviceUnavailable);
  EXPECT_NE(int8.error().message.find("the device cpu"), std::string::npos);
  EXPECT_EQ(Load(*mlx, model, ComputeType::kAuto)->dtype(), "f32");
}

// Of this test's machine, whatever it has.
TEST(MlxBackend, AGpuThatIsNotThereIsSaidToBe) {
  for (const std::string device : {"mps", "mlx-cuda", "mlx-cuda:7"}) {
    const auto backend = OpenBackend({.device = device});
    if (backend.ok()) continue;
    EXPECT_EQ(backend.error().code, ErrorCode::kDeviceUnavailable);
    EXPECT_NE(backend.error().message.find("choose the device auto or cpu"), std::string::npos);
  }
  EXPECT_TRUE(OpenBackend({.device = "auto"}).ok());
}

}  // namespace
}  // namespace embedding
