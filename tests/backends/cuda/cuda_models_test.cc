// A GPU of NVIDIA's against the CPU backend. Needs one: ./test.sh cuda.
#include <gtest/gtest.h>

#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "backends/against_cpu.h"
#include "backends/cuda/cuda_backend.h"
#include "embedding/device.h"

namespace embedding {
namespace {

// Head sizes that the tensor cores' kernel takes (with one or two blocks of queries a warp) and
// those that it does not; rows that are whole vectors and that are not; heads that are together
// narrower or wider than the hidden size.
const Shape kShapes[] = {
    {64, 2, 32, 256, 2, Activation::kGelu, std::nullopt},
    {128, 2, 64, 96, 3, Activation::kGelu, 1},
    {96, 2, 48, 200, 2, Activation::kRelu, std::nullopt},
    {256, 2, 128, 512, 2, Activation::kGelu, std::nullopt},
    {160, 2, 80, 64, 2, Activation::kGeluTanh, std::nullopt},
    {64, 4, 16, 64, 1, Activation::kGelu, 1},
    {78, 3, 26, 100, 1, Activation::kGeluTanh, std::nullopt},
    {48, 5, 8, 64, 2, Activation::kGelu, 1},
    {40, 1, 64, 33, 2, Activation::kGeluTanh, std::nullopt},
};

std::shared_ptr<Backend> Cuda() {
  auto backend = OpenCudaBackend({.device = "cuda"});
  EXPECT_TRUE(backend.ok()) << backend.error().message;
  return backend.ok() ? *backend : nullptr;
}

class CudaModels : public testing::TestWithParam<Shape> {};
INSTANTIATE_TEST_SUITE_P(All, CudaModels, testing::ValuesIn(kShapes));

TEST_P(CudaModels, GiveWhatTheCpuGives) {
  const auto cuda = Cuda();
  ASSERT_NE(cuda, nullptr);
  ExpectWhatTheCpuGives(
      *cuda, GetParam(),
      {{ComputeType::kF32, 2e-5}, {ComputeType::kF16, 2e-2}, {ComputeType::kBF16, 1.5e-1}});
}

// Launches are recorded the third time, and repeated from then on; other sizes come in between.
TEST(CudaSession, RepeatedBatchesGiveTheSame) {
  const auto cuda = Cuda();
  ASSERT_NE(cuda, nullptr);
  const Heads heads = AllHeads(kShapes[1].hidden_size).front();
  const RandomModel model(Of(kShapes[1], heads));
  const auto session = Load(*cuda, model, ComputeType::kF16);
  ASSERT_NE(session, nullptr);
  const Sequences all(heads);
  const auto dense_of = [&](const Batch& batch) {
    BatchOutputs outputs;
    EXPECT_TRUE(session->Run(batch, outputs).ok());
    std::vector<std::vector<float>> dense;
    for (const SequenceOutputs& each : outputs)
      dense.emplace_back(each.dense.begin(), each.dense.end());
    return dense;
  };
  const Batch whole = all.batch();
  const Batch first = {whole.input_ids.first(5), whole.token_type_ids.first(5),
                       whole.offsets.first(2), whole.wanted.first(1)};
  const auto of_whole = dense_of(whole);
  const auto of_first = dense_of(first);
  EXPECT_EQ(of_first[0], of_whole[0]);  // in every bit: it does not depend on its neighbours
  for (int i = 0; i < 5; ++i) {
    EXPECT_EQ(dense_of(whole), of_whole);
    EXPECT_EQ(dense_of(first), of_first);
  }
}

// Of numbers beyond 65,504.
TEST(CudaSession, AModelThatIsTooLargeForF16IsRefusedInIt) {
  const auto cuda = Cuda();
  ASSERT_NE(cuda, nullptr);
  const Heads heads = AllHeads(kShapes[0].hidden_size)[1];
  const RandomModel model(Of(kShapes[0], heads), 3e5F);
  const auto f16 = cuda->Load(model.architecture(), model.tensors(), ComputeType::kF16);
  ASSERT_FALSE(f16.ok());
  EXPECT_EQ(f16.error().code, ErrorCode::kModelLoad);
  EXPECT_NE(f16.error().message.find("choose the dtype bf16"), std::string::npos);
  EXPECT_EQ(Load(*cuda, model, ComputeType::kAuto)->dtype(), "bf16");
  const RandomModel usual(Of(kShapes[0], heads));
  EXPECT_EQ(Load(*cuda, usual, ComputeType::kAuto)->dtype(), "f16");
}

TEST(CudaBackend, SaysWhatItHas) {
  const auto cuda = Cuda();
  ASSERT_NE(cuda, nullptr);
  EXPECT_EQ(cuda->device(), "cuda");
  const RandomModel model(Of(kShapes[0], AllHeads(kShapes[0].hidden_size)[1]));
  const auto int8 = cuda->Load(model.architecture(), model.tensors(), ComputeType::kInt8);
  ASSERT_FALSE(int8.ok());
  EXPECT_EQ(int8.error().code, ErrorCode::kDeviceUnavailable);
  for (const std::string device : {"cuda:99", "cuda:x", "cuda:", "cuda:-1"}) {
    const auto other = OpenCudaBackend({.device = device});
    ASSERT_FALSE(other.ok()) << device;
    EXPECT_NE(other.error().message.find("there are cuda:0 to cuda:"), std::string::npos);
  }
}

}  // namespace
}  // namespace embedding
