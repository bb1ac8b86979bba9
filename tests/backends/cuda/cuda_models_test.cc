// A GPU of NVIDIA's against the CPU backend. Needs one: ./test.sh cuda.
#include <gtest/gtest.h>

#include <memory>
#include <optional>
#include <span>
#include <string>
#include <thread>
#include <vector>

#include "backends/against_cpu.h"
#include "backends/architecture_kinds.h"
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

std::vector<std::vector<float>> DenseOf(Session& session, const Batch& batch) {
  BatchOutputs outputs;
  const Status computed = session.Run(batch, outputs);
  EXPECT_TRUE(computed.ok()) << computed.error().message;
  std::vector<std::vector<float>> dense;
  for (const SequenceOutputs& each : outputs)
    dense.emplace_back(each.dense.begin(), each.dense.end());
  return dense;
}

// `count` sequences of so many tokens, of which the dense vector is wanted.
struct Equal {
  Equal(size_t count, uint32_t length) {
    for (size_t s = 0; s < count; ++s) {
      for (uint32_t i = 0; i < length; ++i)
        ids.push_back(static_cast<int32_t>((s * 31 + i * 7) % 90));
      offsets.push_back(static_cast<uint32_t>(ids.size()));
    }
    types.resize(ids.size());
    wanted.resize(count, Outputs{.dense = true});
  }
  Batch first(size_t count) const {
    const size_t tokens = offsets[count];
    return {std::span(ids).first(tokens), std::span(types).first(tokens),
            std::span(offsets).first(count + 1), std::span(wanted).first(count)};
  }

  std::vector<int32_t> ids;
  std::vector<int32_t> types;
  std::vector<uint32_t> offsets = {0};
  std::vector<Outputs> wanted;
};

TEST(CudaBackendOfArchitectures, GivesWhatTheCpuGives) {
  const auto cuda = Cuda();
  ASSERT_NE(cuda, nullptr);
  for (const auto& [name, encoder] : EncoderKinds()) {
    SCOPED_TRACE(name);
    ExpectWhatTheCpuGives(
        *cuda, AllHeads(encoder.hidden_size), encoder,
        {{ComputeType::kF32, 5e-5}, {ComputeType::kF16, 4e-2}, {ComputeType::kBF16, 3e-1}});
  }
}

TEST(CudaBackendOfHeads, GivesWhatTheCpuGives) {
  const auto cuda = Cuda();
  ASSERT_NE(cuda, nullptr);
  const Encoder encoder = Of(kShapes[0], {}).encoder;
  ExpectWhatTheCpuGives(*cuda, HeadKinds(encoder.hidden_size), encoder,
                        {{ComputeType::kF32, 5e-5}, {ComputeType::kF16, 4e-2}});
}

// Windows, relative positions and causal attention over more keys than a block has at a time: a
// sequence alone has the same bits as among others.
TEST(CudaSession, AVectorOfAnyArchitectureDoesNotDependOnItsBatch) {
  const auto cuda = Cuda();
  ASSERT_NE(cuda, nullptr);
  for (const auto& [name, encoder] : EncoderKinds()) {
    SCOPED_TRACE(name);
    const Heads heads = AllHeads(encoder.hidden_size)[3];
    const RandomModel model(Architecture{encoder, heads});
    for (const ComputeType type : {ComputeType::kF32, ComputeType::kF16}) {
      const auto session = Load(*cuda, model, type);
      ASSERT_NE(session, nullptr);
      const Sequences all(heads, encoder.adapters ? encoder.adapters->count : 0);
      const auto together = DenseOf(*session, all.batch());
      for (size_t s = 0; s < together.size(); ++s) {
        const uint32_t begin = all.offsets[s];
        const size_t length = all.offsets[s + 1] - begin;
        const std::vector<uint32_t> offsets = {0, static_cast<uint32_t>(length)};
        const Batch alone = {
            std::span(all.ids).subspan(begin, length),
            std::span(all.types).subspan(begin, length),
            offsets,
            std::span(all.wanted).subspan(s, 1),
            {},
            std::span(all.adapters).subspan(encoder.adapters ? s : 0, encoder.adapters ? 1 : 0)};
        EXPECT_EQ(DenseOf(*session, alone)[0], together[s]) << s;
      }
    }
  }
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
  const Batch whole = all.batch();
  const Batch first = {whole.input_ids.first(5), whole.token_type_ids.first(5),
                       whole.offsets.first(2), whole.wanted.first(1)};
  const auto of_whole = DenseOf(*session, whole);
  const auto of_first = DenseOf(*session, first);
  EXPECT_EQ(of_first[0], of_whole[0]);  // in every bit: it does not depend on its neighbours
  for (int i = 0; i < 5; ++i) {
    EXPECT_EQ(DenseOf(*session, whole), of_whole);
    EXPECT_EQ(DenseOf(*session, first), of_first);
  }
}

// More rows than a feed-forward takes at a time, in a batch that comes between recorded ones and
// makes their buffers grow.
TEST(CudaSession, ALargeBatchBetweenRecordedOnesGivesTheSame) {
  const auto cuda = Cuda();
  ASSERT_NE(cuda, nullptr);
  const Heads heads = AllHeads(kShapes[1].hidden_size)[3];
  const RandomModel model(Of(kShapes[1], heads));
  const auto session = Load(*cuda, model, ComputeType::kF16);
  ASSERT_NE(session, nullptr);
  const Equal many(50, 200);
  const auto of_few = DenseOf(*session, many.first(3));
  for (int i = 0; i < 4; ++i) EXPECT_EQ(DenseOf(*session, many.first(3)), of_few);
  const auto of_many = DenseOf(*session, many.first(50));
  for (size_t s = 0; s < of_few.size(); ++s) EXPECT_EQ(of_many[s], of_few[s]) << s;
  for (int i = 0; i < 4; ++i) {
    EXPECT_EQ(DenseOf(*session, many.first(3)), of_few);
    EXPECT_EQ(DenseOf(*session, many.first(50)), of_many);
  }
}

TEST(CudaSession, TwoAtOnceGiveWhatEachGives) {
  const auto cuda = Cuda();
  ASSERT_NE(cuda, nullptr);
  const Heads heads = AllHeads(kShapes[1].hidden_size)[1];
  const RandomModel model(Of(kShapes[1], heads));
  const Equal texts(20, 60);
  std::vector<std::vector<float>> expected;
  std::vector<std::unique_ptr<Session>> sessions;
  for (int i = 0; i < 2; ++i) {
    sessions.push_back(Load(*cuda, model, ComputeType::kF16));
    ASSERT_NE(sessions.back(), nullptr);
    expected = DenseOf(*sessions.back(), texts.first(20));
  }
  std::vector<std::thread> threads;
  for (const auto& session : sessions) {
    threads.emplace_back([&texts, &expected, &session] {
      for (size_t i = 0; i < 40; ++i) {
        const size_t count = i % 20 + 1;
        const auto dense = DenseOf(*session, texts.first(count));
        for (size_t s = 0; s < count; ++s) EXPECT_EQ(dense[s], expected[s]);
      }
    });
  }
  for (std::thread& thread : threads) thread.join();
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
