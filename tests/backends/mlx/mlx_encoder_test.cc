// Attention whose scores would take more memory than they may.
#include "backends/mlx/mlx_encoder.h"

#include <gtest/gtest.h>
#include <mlx/mlx.h>

#include <cstddef>
#include <cstdint>
#include <vector>

#include "backends/against_cpu.h"
#include "backends/random_model.h"

namespace embedding {
namespace {

namespace mx = mlx::core;

constexpr size_t kLongest = 1024;

Architecture Small() {
  Architecture architecture = Of({32, 4, 8, 64, 2, Activation::kGelu, std::nullopt}, {});
  architecture.encoder.positions = {kLongest, 0, std::nullopt};
  return architecture;
}

class MlxEncoderTest : public testing::Test {
 protected:
  // All last hidden states of sequences of these lengths.
  std::vector<float> Run(const std::vector<uint32_t>& lengths, size_t score_bytes) {
    std::vector<int32_t> ids;
    std::vector<uint32_t> offsets = {0};
    std::vector<TokenRange> all;
    for (const uint32_t length : lengths) {
      for (uint32_t i = 0; i < length; ++i) ids.push_back(static_cast<int32_t>(ids.size() % 90));
      offsets.push_back(static_cast<uint32_t>(ids.size()));
      all.push_back({0, length});
    }
    const std::vector<int32_t> types(ids.size(), 0);
    const std::vector<Outputs> outputs(lengths.size());
    const mx::StreamContext context(mx::Device(mx::Device::cpu));
    MlxEncoder encoder(model_.architecture().encoder, model_.tensors().encoder, mx::float32,
                       /*compiled=*/false, score_bytes);
    mx::clear_cache();
    mx::reset_peak_memory();
    const size_t before = mx::get_active_memory();
    mx::array hidden = encoder.Run({ids, types, offsets, outputs}, all);
    hidden.eval();
    taken_bytes_ = mx::get_peak_memory() - before;
    return {hidden.data<float>(), hidden.data<float>() + ids.size() * 32};
  }

  static void ExpectNear(const std::vector<float>& actual, const std::vector<float>& expected) {
    ASSERT_EQ(actual.size(), expected.size());
    for (size_t i = 0; i < actual.size(); ++i) EXPECT_NEAR(actual[i], expected[i], 1e-5) << i;
  }

  const RandomModel model_{Small()};
  size_t taken_bytes_ = 0;
};

TEST_F(MlxEncoderTest, PartsGiveWhatTheWholeGives) {
  // Buckets with and without a mask.
  const std::vector<uint32_t> lengths = {5, 16, 16, 16, 100, 61, 64, 64, 200};
  const std::vector<float> whole = Run(lengths, MlxEncoder::kScoreBytes);
  // Some sequences of a bucket, one, some of its queries, and one of these.
  for (const size_t bytes : {20'000U, 9'000U, 2'000U, 1U}) {
    SCOPED_TRACE(bytes);
    ExpectNear(Run(lengths, bytes), whole);
  }
}

TEST_F(MlxEncoderTest, PartsTakeTheMemoryThatTheyMay) {
  constexpr size_t kOfScores = 4 * kLongest * kLongest * sizeof(float);  // 16 MB
  const std::vector<float> whole = Run({kLongest}, MlxEncoder::kScoreBytes);
  EXPECT_GT(taken_bytes_, kOfScores);
  ExpectNear(Run({kLongest}, kOfScores / 16), whole);
  EXPECT_LT(taken_bytes_, kOfScores / 2);
}

}  // namespace
}  // namespace embedding
