// Texts with adapters on the CPU against models whose weights have them added.

#include <gtest/gtest.h>

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <deque>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <vector>

#include "backends/against_cpu.h"
#include "backends/backend.h"
#include "backends/cpu/cpu_backend.h"
#include "backends/random_model.h"

namespace embedding {
namespace {

constexpr size_t kCount = 3;
constexpr size_t kRank = 4;
constexpr float kScale = 0.5F;

// The numbers of a view into f32.
float Number(const TensorView& view, size_t i) {
  return reinterpret_cast<const float*>(view.bytes.data())[i];
}

// Tensors with the numbers of one of the adapters in the weights.
class MergedTensors {
 public:
  MergedTensors(const EncoderTensors& tensors, size_t adapter) : adapter_(adapter) {
    EncoderTensors& merged = merged_.encoder = tensors;
    MergeTable(merged.word_embeddings, merged.word_adapters);
    MergeTable(*merged.token_type_embeddings, merged.token_type_adapters);
    for (LayerTensors& layer : merged.layers) {
      for (LinearTensors* linear : LinearsOf(layer)) {
        const auto rows = linear->out_features();
        const auto columns = linear->in_features();
        Merge(linear->weight, [&](size_t row, size_t column) {
          double sum = 0;
          for (size_t r = 0; r < kRank; ++r) {
            sum += double{Number(linear->adapters->b, (adapter_ * rows + row) * kRank + r)} *
                   Number(linear->adapters->a, (adapter_ * kRank + r) * columns + column);
          }
          return sum;
        });
        linear->adapters.reset();
      }
    }
  }

  const Tensors& tensors() const { return merged_; }

 private:
  void MergeTable(TensorView& table, std::optional<AdapterTensors>& adapters) {
    const auto rows = static_cast<size_t>(table.shape[0]);
    const auto columns = static_cast<size_t>(table.shape[1]);
    Merge(table, [&](size_t row, size_t column) {
      double sum = 0;
      for (size_t r = 0; r < kRank; ++r) {
        sum += double{Number(adapters->a, (adapter_ * rows + row) * kRank + r)} *
               Number(adapters->b, (adapter_ * kRank + r) * columns + column);
      }
      return sum;
    });
    adapters.reset();
  }

  template <typename Addition>
  void Merge(TensorView& weight, Addition addition) {
    const auto columns = static_cast<size_t>(weight.shape[1]);
    std::vector<float>& numbers = numbers_.emplace_back(weight.elements());
    for (size_t i = 0; i < numbers.size(); ++i) {
      numbers[i] =
          static_cast<float>(Number(weight, i) + kScale * addition(i / columns, i % columns));
    }
    weight.bytes = std::as_bytes(std::span(numbers));
  }

  const size_t adapter_;
  std::deque<std::vector<float>> numbers_;
  Tensors merged_;
};

// Of a model whose feed-forwards are gated, or not.
class CpuAdapters : public testing::TestWithParam<bool> {
 protected:
  CpuAdapters() {
    for (size_t s = 0; s < sequences_.wanted.size(); ++s) {
      adapters_.push_back(static_cast<int32_t>(s % (kCount + 1)) - 1);
    }
  }

  static Architecture MakeArchitecture() {
    Heads heads;
    heads.pooled = PooledVector{{Pooling::kMean}, {}};
    Architecture architecture = Of({.hidden_size = 48,
                                    .heads = 4,
                                    .head_dim = 12,
                                    .width = 80,
                                    .layers = 2,
                                    .activation = Activation::kGelu,
                                    .uncounted_id = {}},
                                   std::move(heads));
    architecture.encoder.adapters = Adapters{kCount, kRank, kScale};
    for (Layer& layer : architecture.encoder.layers) layer.feed_forward.gated = GetParam();
    return architecture;
  }

  std::unique_ptr<Session> Load(const Architecture& architecture, const Tensors& tensors,
                                ComputeType type = ComputeType::kF32) const {
    auto session = cpu_->Load(architecture, tensors, type);
    EXPECT_TRUE(session.ok()) << session.error().message;
    return session.ok() ? *std::move(session) : nullptr;
  }

  Batch MixedBatch() const {
    Batch batch = sequences_.batch();
    batch.adapters = adapters_;
    return batch;
  }

  const std::shared_ptr<Backend> cpu_ = *OpenCpuBackend({.threads = 2});
  const RandomModel model_ = RandomModel(MakeArchitecture());
  const Sequences sequences_ = Sequences(model_.architecture().heads);
  std::vector<int32_t> adapters_;
};

INSTANTIATE_TEST_SUITE_P(Gated, CpuAdapters, testing::Bool(),
                         [](const auto& gated) { return gated.param ? "yes" : "no"; });

TEST_P(CpuAdapters, GiveWhatWeightsWithThemGive) {
  const auto session = Load(model_.architecture(), model_.tensors());
  BatchOutputs outputs;
  ASSERT_TRUE(session->Run(MixedBatch(), outputs).ok());
  for (int32_t adapter = -1; adapter < static_cast<int32_t>(kCount); ++adapter) {
    std::optional<MergedTensors> merged;
    if (adapter >= 0) merged.emplace(model_.tensors().encoder, static_cast<size_t>(adapter));
    Architecture plain = model_.architecture();
    plain.encoder.adapters.reset();
    const auto reference = Load(plain, merged ? merged->tensors() : model_.tensors());
    BatchOutputs expected;
    ASSERT_TRUE(reference->Run(sequences_.batch(), expected).ok());
    for (size_t s = 0; s < outputs.size(); ++s) {
      if (adapters_[s] != adapter) continue;
      SCOPED_TRACE("sequence " + std::to_string(s));
      ExpectNear(outputs[s].dense, expected[s].dense, 2e-5, "dense");
      ExpectNear(outputs[s].token_embeddings, expected[s].token_embeddings, 2e-5, "tokens");
    }
  }
}

// Not of the others' adapters either, in any type of numbers.
TEST_P(CpuAdapters, ASequenceDoesNotDependOnTheOthers) {
  for (const ComputeType type : {ComputeType::kF32, ComputeType::kInt8}) {
    const auto session = Load(model_.architecture(), model_.tensors(), type);
    BatchOutputs outputs;
    ASSERT_TRUE(session->Run(MixedBatch(), outputs).ok());
    std::vector<std::vector<float>> together;
    for (const SequenceOutputs& each : outputs) {
      together.emplace_back(each.dense.begin(), each.dense.end());
    }
    for (size_t s = 0; s < together.size(); ++s) {
      const size_t begin = sequences_.offsets[s];
      const size_t tokens = sequences_.offsets[s + 1] - begin;
      const std::vector<uint32_t> offsets = {0, static_cast<uint32_t>(tokens)};
      const Batch one = {.input_ids = std::span(sequences_.ids).subspan(begin, tokens),
                         .token_type_ids = std::span(sequences_.types).subspan(begin, tokens),
                         .offsets = offsets,
                         .wanted = std::span(sequences_.wanted).subspan(s, 1),
                         .adapters = std::span(adapters_).subspan(s, 1)};
      ASSERT_TRUE(session->Run(one, outputs).ok());
      EXPECT_TRUE(std::equal(together[s].begin(), together[s].end(), outputs[0].dense.begin(),
                             outputs[0].dense.end()))
          << s;
    }
  }
}

TEST_P(CpuAdapters, AreRefusedWhereTheyAreNotComputed) {
  Architecture mixture = MakeArchitecture();
  for (Layer& layer : mixture.encoder.layers)
    layer.feed_forward.experts = {.count = 4, .chosen = 2};
  const RandomModel model(mixture);
  const auto session = cpu_->Load(model.architecture(), model.tensors(), ComputeType::kF32);
  ASSERT_FALSE(session.ok());
  EXPECT_EQ(session.error().code, ErrorCode::kModelLoad);
}

}  // namespace
}  // namespace embedding
