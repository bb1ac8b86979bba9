// MLX on the CPU against the CPU backend.
#include <gtest/gtest.h>
#include <mlx/stream.h>

#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "backends/against_cpu.h"
#include "backends/architecture_kinds.h"
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

TEST(MlxBackend, ComputesWhatArchitecturesMaySay) {
  const auto mlx = *OpenMlxCpuBackend(/*compiled=*/false);
  for (const auto& [name, encoder] : EncoderKinds()) {
    SCOPED_TRACE(name);
    ExpectWhatTheCpuGives(
        *mlx, AllHeads(encoder.hidden_size), encoder,
        {{ComputeType::kF32, 5e-5}, {ComputeType::kF16, 4e-2}, {ComputeType::kBF16, 3e-1}});
  }
}

TEST(MlxBackend, ComputesWhatHeadsMaySay) {
  const auto mlx = *OpenMlxCpuBackend(/*compiled=*/false);
  const Encoder encoder = Of(kShapes[0], {}).encoder;
  ExpectWhatTheCpuGives(*mlx, HeadKinds(encoder.hidden_size), encoder,
                        {{ComputeType::kF32, 5e-5}, {ComputeType::kF16, 4e-2}});
}

TEST(MlxSession, CompiledLayersGiveTheSame) {
  const auto mlx = *OpenMlxCpuBackend(/*compiled=*/true);
  const auto cpu = *OpenBackend({.device = "cpu", .threads = 2});
  const Heads heads = AllHeads(kShapes[0].hidden_size).front();
  for (const auto& [name, encoder] : EncoderKinds()) {
    SCOPED_TRACE(name);
    const RandomModel model(Architecture{encoder, heads});
    const auto session = Load(*mlx, model, ComputeType::kF32);
    const auto reference = Load(*cpu, model, ComputeType::kF32);
    const Sequences sequences(heads, encoder.adapters ? encoder.adapters->count : 0);
    for (int i = 0; i < 2; ++i) Compare(*session, *reference, sequences, heads, 5e-5);
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
