// The heads of models on the CPU against their definitions (model/heads.h) in double.
#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <deque>
#include <map>
#include <memory>
#include <vector>

#include "backends/cpu/heads/classifier_head.h"
#include "backends/cpu/heads/pooled_head.h"
#include "backends/cpu/heads/splade_head.h"
#include "backends/cpu/heads/token_heads.h"
#include "backends/random.h"
#include "backends/team.h"

namespace embedding {
namespace {

constexpr size_t kHidden = 24;
constexpr size_t kVocabulary = 70;
constexpr size_t kAsking[] = {0, 2};  // the sequences that want something
constexpr double kTolerance = 1e-5;

using Row = std::vector<double>;

double Gelu(double x) { return x * (1 + std::erf(x / std::sqrt(2.0))) / 2; }

// A torch.nn.Linear with random parameters.
class ReferenceLinear {
 public:
  ReferenceLinear(size_t in_features, size_t out_features, unsigned seed)
      : in_features_(in_features),
        weight_(Random(in_features * out_features, seed, 0.3F)),
        bias_(Random(out_features, seed + 1, 0.3F)) {}

  LinearTensors tensors() const {
    const auto rows = static_cast<int64_t>(bias_.size());
    return {"linear", View(weight_, {rows, static_cast<int64_t>(in_features_)}),
            View(bias_, {rows})};
  }

  Row operator()(const Row& x) const {
    Row y(bias_.begin(), bias_.end());
    for (size_t o = 0; o < y.size(); ++o) {
      for (size_t i = 0; i < in_features_; ++i) {
        y[o] += x[i] * static_cast<double>(weight_[o * in_features_ + i]);
      }
    }
    return y;
  }

  static TensorView View(const std::vector<float>& numbers, std::vector<int64_t> shape) {
    return {DType::kF32, std::move(shape), std::as_bytes(std::span(numbers)), {}};
  }

 private:
  const size_t in_features_;
  const std::vector<float> weight_;
  const std::vector<float> bias_;
};

// Three sequences of 5, 2 and 4 tokens, of which every head is asked for the first and the last.
class CpuHeads : public testing::Test {
 protected:
  // Runs the head, of `range` of each sequence's tokens.
  void Run(CpuHead& head, bool Outputs::*wants, bool first_alone = false) {
    for (const size_t s : kAsking) wanted_[s].*wants = true;
    rows_.clear();
    begins_ = {0};
    for (size_t s = 0; s + 1 < offsets_.size(); ++s) {
      const size_t tokens = first_alone ? 1 : offsets_[s + 1] - offsets_[s];
      const float* from = hidden_.data() + offsets_[s] * kHidden;
      rows_.insert(rows_.end(), from, from + tokens * kHidden);
      begins_.push_back(begins_.back() + tokens);
    }
    outputs_.assign(3, {});
    head.Run({ids_, types_, offsets_, wanted_, first_pooled_}, {rows_, begins_, kHidden}, outputs_);
  }

  Row Hidden(size_t token) const {
    const float* row = hidden_.data() + token * kHidden;
    return {row, row + kHidden};
  }

  static void ExpectNear(std::span<const float> actual, const Row& expected) {
    ASSERT_EQ(actual.size(), expected.size());
    for (size_t i = 0; i < expected.size(); ++i) ASSERT_NEAR(actual[i], expected[i], kTolerance);
  }

  const std::vector<int32_t> ids_ = {0, 8, 9, 8, 2, 0, 2, 0, 5, 6, 2};
  const std::vector<int32_t> types_ = std::vector<int32_t>(11);
  const std::vector<uint32_t> offsets_ = {0, 5, 7, 11};
  const std::vector<float> hidden_ = Random(11 * kHidden, 1);
  std::vector<uint32_t> first_pooled_;
  std::vector<Outputs> wanted_ = std::vector<Outputs>(3, Outputs{.dense = false});
  std::vector<float> rows_;
  std::vector<size_t> begins_;
  BatchOutputs outputs_;
};

TEST_F(CpuHeads, PooledVectorsGoThroughTheDenseModules) {
  const ReferenceLinear dense(2 * kHidden, 10, 7);
  const PooledVector pooled = {{Pooling::kCls, Pooling::kMean},
                               {DenseModule{.in_features = 2 * kHidden, .out_features = 10}}};
  HeadTensors tensors;
  tensors.modules = {{.linear = dense.tensors()}};
  const auto head =
      MakePooledHead(pooled, tensors, &Outputs::dense, &SequenceOutputs::dense, kHidden, TeamOf(2));
  Run(*head, &Outputs::dense);
  EXPECT_TRUE(outputs_[1].dense.empty());
  for (const size_t s : kAsking) {
    Row x = Hidden(offsets_[s]);
    x.resize(2 * kHidden);
    const double tokens = offsets_[s + 1] - offsets_[s];
    for (size_t t = offsets_[s]; t < offsets_[s + 1]; ++t) {
      for (size_t i = 0; i < kHidden; ++i) x[kHidden + i] += Hidden(t)[i] / tokens;
    }
    Row expected = dense(x);
    for (double& y : expected) y = std::tanh(y);
    ExpectNear(outputs_[s].dense, expected);
  }
}

// A random LayerNorm of `size` numbers.
class ReferenceNorm {
 public:
  ReferenceNorm(size_t size, unsigned seed)
      : weight_(Random(size, seed, 1.0F)), bias_(Random(size, seed + 1, 0.3F)) {}

  NormTensors tensors() const {
    const auto size = static_cast<int64_t>(weight_.size());
    return {ReferenceLinear::View(weight_, {size}), ReferenceLinear::View(bias_, {size})};
  }

  Row operator()(Row x) const {
    const auto size = static_cast<double>(x.size());
    double mean = 0;
    double variance = 0;
    for (const double v : x) mean += v / size;
    for (const double v : x) variance += (v - mean) * (v - mean) / size;
    for (size_t i = 0; i < x.size(); ++i) {
      x[i] = (x[i] - mean) / std::sqrt(variance + 1e-5) * static_cast<double>(weight_[i]) +
             static_cast<double>(bias_[i]);
    }
    return x;
  }

 private:
  const std::vector<float> weight_;
  const std::vector<float> bias_;
};

Row Normalized(Row x) {
  double sum = 0;
  for (const double v : x) sum += v * v;
  for (double& v : x) v /= std::sqrt(sum);
  return x;
}

// Dense with a residual of the same width, Normalize, Dense with a projected residual, LayerNorm.
TEST_F(CpuHeads, PooledVectorsGoThroughModulesOfEveryKind) {
  const ReferenceLinear same(kHidden, kHidden, 7);
  const ReferenceLinear narrow(kHidden, 10, 9);
  const ReferenceLinear residual(kHidden, 10, 11);
  const ReferenceNorm norm(10, 13);
  LinearTensors unbiased = residual.tensors();
  unbiased.bias.reset();
  const PooledVector pooled = {{Pooling::kLastToken},
                               {DenseModule{.in_features = kHidden,
                                            .out_features = kHidden,
                                            .activation = Activation::kGelu,
                                            .residual = true},
                                NormalizeModule(),
                                DenseModule{.in_features = kHidden,
                                            .out_features = 10,
                                            .activation = Activation::kIdentity,
                                            .residual = true},
                                LayerNormModule()}};
  HeadTensors tensors;
  tensors.modules = {{.linear = same.tensors()},
                     {},
                     {.linear = narrow.tensors(), .residual = unbiased},
                     {.norm = norm.tensors()}};
  const auto head = MakePooledHead(pooled, tensors, &Outputs::logits, &SequenceOutputs::logits,
                                   kHidden, TeamOf(2));
  Run(*head, &Outputs::logits);
  EXPECT_TRUE(outputs_[1].logits.empty());
  for (const size_t s : kAsking) {
    const Row x = Hidden(offsets_[s + 1] - 1);
    Row wide = same(x);
    for (size_t i = 0; i < kHidden; ++i) wide[i] = Gelu(wide[i]) + x[i];
    wide = Normalized(wide);
    Row expected = narrow(wide);
    const Row added = residual(wide);
    const Row bias = residual(Row(kHidden, 0));
    for (size_t i = 0; i < expected.size(); ++i) expected[i] += added[i] - bias[i];
    ExpectNear(outputs_[s].logits, norm(expected));
  }
}

TEST_F(CpuHeads, ModulesOfTokensComeBeforeThePooling) {
  const ReferenceLinear narrow(kHidden, 5, 9);
  PooledVector pooled = {{Pooling::kMax}};
  pooled.token_modules = {DenseModule{.in_features = kHidden, .out_features = 5},
                          NormalizeModule()};
  HeadTensors tensors;
  tensors.token_modules = {{.linear = narrow.tensors()}, {}};
  const auto head =
      MakePooledHead(pooled, tensors, &Outputs::dense, &SequenceOutputs::dense, kHidden, TeamOf(2));
  Run(*head, &Outputs::dense);
  for (const size_t s : kAsking) {
    Row expected(5, -2);
    for (size_t t = offsets_[s]; t < offsets_[s + 1]; ++t) {
      Row token = narrow(Hidden(t));
      for (double& y : token) y = std::tanh(y);
      token = Normalized(token);
      for (size_t i = 0; i < 5; ++i) expected[i] = std::max(expected[i], token[i]);
    }
    ExpectNear(outputs_[s].dense, expected);
  }
}

TEST_F(CpuHeads, TokensBeforeTheFirstPooledAreLeftOut) {
  const auto head = MakePooledHead(PooledVector{{Pooling::kCls, Pooling::kMax}}, HeadTensors(),
                                   &Outputs::dense, &SequenceOutputs::dense, kHidden, TeamOf(2));
  first_pooled_ = {3, 0, 0};
  Run(*head, &Outputs::dense);
  Row expected = Hidden(3);
  for (size_t i = 0; i < kHidden; ++i) expected.push_back(std::max(Hidden(3)[i], Hidden(4)[i]));
  ExpectNear(outputs_[0].dense, expected);
  expected = Hidden(7);
  for (size_t i = 0; i < kHidden; ++i) {
    double largest = Hidden(7)[i];
    for (size_t t = 8; t < 11; ++t) largest = std::max(largest, Hidden(t)[i]);
    expected.push_back(largest);
  }
  ExpectNear(outputs_[2].dense, expected);
}

TEST_F(CpuHeads, AClassifierReadsTheFirstToken) {
  const ReferenceLinear dense(kHidden, kHidden, 7);
  const ReferenceLinear output(kHidden, 3, 9);
  const auto head =
      MakeClassifierHead(Classifier{3}, {dense.tensors(), {}, output.tensors()}, TeamOf(2));
  for (const bool first_alone : {true, false}) {
    Run(*head, &Outputs::logits, first_alone);
    EXPECT_TRUE(outputs_[1].logits.empty());
    for (const size_t s : kAsking) {
      Row pooled = dense(Hidden(offsets_[s]));
      for (double& y : pooled) y = std::tanh(y);
      ExpectNear(outputs_[s].logits, output(pooled));
    }
  }
}

TEST_F(CpuHeads, AClassifierMayPoolLate) {
  const ReferenceLinear dense(kHidden, kHidden, 7);
  const ReferenceLinear output(kHidden, 3, 9);
  const Classifier classifier = {
      .labels = 3, .pooling = Pooling::kMean, .pools_late = true, .dense = Activation::kGelu};
  const auto head =
      MakeClassifierHead(classifier, {dense.tensors(), {}, output.tensors()}, TeamOf(2));
  Run(*head, &Outputs::logits);
  for (const size_t s : kAsking) {
    Row mean(kHidden, 0);
    for (size_t t = offsets_[s]; t < offsets_[s + 1]; ++t) {
      const Row y = dense(Hidden(t));
      for (size_t i = 0; i < kHidden; ++i) mean[i] += Gelu(y[i]) / (offsets_[s + 1] - offsets_[s]);
    }
    ExpectNear(outputs_[s].logits, output(mean));
  }
}

TEST_F(CpuHeads, AClassifierMayReadTheLastTokenThatIsNoPadding) {
  const ReferenceLinear output(kHidden, 3, 9);
  Classifier classifier = {.labels = 3, .pooling = Pooling::kLastToken, .dense = {}};
  for (const auto& [padding, last] :
       {std::pair(2, std::pair(3, 9)), std::pair(7, std::pair(4, 10))}) {
    classifier.padding_id = padding;
    const auto head = MakeClassifierHead(classifier, {{}, {}, output.tensors()}, TeamOf(2));
    Run(*head, &Outputs::logits);
    ExpectNear(outputs_[0].logits, output(Hidden(static_cast<size_t>(last.first))));
    ExpectNear(outputs_[2].logits, output(Hidden(static_cast<size_t>(last.second))));
  }
}

TEST_F(CpuHeads, AClassifierMayPoolAndNormalise) {
  const ReferenceLinear output(kHidden, 3, 9);
  Classifier classifier{.labels = 3, .pooling = Pooling::kMean, .dense = {}};
  classifier.norm = Norm{.eps = 1e-5F, .bias = false};
  const std::vector<float> ones(kHidden, 1.0F);
  const NormTensors norm = {ReferenceLinear::View(ones, {static_cast<int64_t>(kHidden)}), {}};
  const auto head = MakeClassifierHead(classifier, {{}, norm, output.tensors()}, TeamOf(2));
  Run(*head, &Outputs::logits);
  for (const size_t s : kAsking) {
    Row pooled(kHidden);
    const double tokens = offsets_[s + 1] - offsets_[s];
    for (size_t t = offsets_[s]; t < offsets_[s + 1]; ++t) {
      for (size_t i = 0; i < kHidden; ++i) pooled[i] += Hidden(t)[i] / tokens;
    }
    double mean = 0;
    for (const double x : pooled) mean += x / kHidden;
    double variance = 0;
    for (const double x : pooled) variance += (x - mean) * (x - mean) / kHidden;
    for (double& x : pooled) x = (x - mean) / std::sqrt(variance + 1e-5);
    ExpectNear(outputs_[s].logits, output(pooled));
  }
}

TEST_F(CpuHeads, TokenWeightsAreTheLargestOfEachId) {
  const ReferenceLinear linear(kHidden, 1, 7);
  const auto head = MakeTokenWeightsHead({.unused_ids = {0, 2}}, linear.tensors(), TeamOf(2));
  Run(*head, &Outputs::lexical_weights);
  EXPECT_TRUE(outputs_[1].lexical_weights.empty());
  for (const size_t s : kAsking) {
    std::map<int32_t, double> expected;
    for (size_t t = offsets_[s]; t < offsets_[s + 1]; ++t) {
      const double weight = linear(Hidden(t))[0];
      if (weight <= 0 || ids_[t] == 0 || ids_[t] == 2) continue;
      double& of_id = expected[ids_[t]];
      of_id = std::max(of_id, weight);
    }
    ASSERT_EQ(outputs_[s].lexical_weights.size(), expected.size());
    for (const TokenWeight& weight : outputs_[s].lexical_weights) {
      EXPECT_NEAR(weight.weight, expected.at(weight.id), kTolerance);
    }
  }
}

TEST_F(CpuHeads, TokenVectorsHaveLengthOneAndLeaveTheFirstTokenOut) {
  const ReferenceLinear linear(kHidden, 16, 7);
  const auto head = MakeTokenVectorsHead(linear.tensors(), TeamOf(2));
  Run(*head, &Outputs::colbert_vecs);
  EXPECT_TRUE(outputs_[1].colbert_vecs.empty());
  for (const size_t s : kAsking) {
    Row expected;
    for (size_t t = offsets_[s] + 1; t < offsets_[s + 1]; ++t) {
      Row vector = linear(Hidden(t));
      double squares = 0;
      for (const double x : vector) squares += x * x;
      for (const double x : vector) expected.push_back(x / std::sqrt(squares));
    }
    ExpectNear(outputs_[s].colbert_vecs, expected);
  }
}

class CpuSplade : public CpuHeads, public testing::WithParamInterface<Splade> {};

TEST_P(CpuSplade, WeighsTheVocabulary) {
  Splade splade = GetParam();
  splade.activation = Activation::kGelu;
  splade.norm.eps = 1e-5F;
  const ReferenceLinear transform(kHidden, kHidden, 7);
  const ReferenceLinear decoder(kHidden, kVocabulary, 9);
  const std::vector<float> gamma = Random(kHidden, 11);
  const std::vector<float> beta = Random(kHidden, 12);
  const auto size = static_cast<int64_t>(kHidden);
  const NormTensors norm = {ReferenceLinear::View(gamma, {size}),
                            ReferenceLinear::View(beta, {size})};
  const auto head =
      MakeSpladeHead(splade, {transform.tensors(), norm, decoder.tensors()}, TeamOf(2));
  Run(*head, &Outputs::lexical_weights);
  EXPECT_TRUE(outputs_[1].lexical_weights.empty());
  for (const size_t s : kAsking) {
    Row expected(kVocabulary);
    for (size_t t = offsets_[s]; t < offsets_[s + 1]; ++t) {
      Row x = transform(Hidden(t));
      double mean = 0;
      for (double& y : x) mean += (y = Gelu(y)) / kHidden;
      double variance = 0;
      for (const double y : x) variance += (y - mean) * (y - mean) / kHidden;
      for (size_t i = 0; i < kHidden; ++i) {
        x[i] = (x[i] - mean) / std::sqrt(variance + 1e-5) * static_cast<double>(gamma[i]) +
               static_cast<double>(beta[i]);
      }
      const Row logits = decoder(x);
      for (size_t v = 0; v < kVocabulary; ++v) {
        double weight = std::log1p(std::max(logits[v], 0.0));
        if (splade.log_twice) weight = std::log1p(weight);
        expected[v] = splade.sums ? expected[v] + weight : std::max(expected[v], weight);
      }
    }
    std::vector<double> positive;
    for (const double weight : expected) {
      if (weight > 0) positive.push_back(weight);
    }
    std::sort(positive.rbegin(), positive.rend());
    const size_t kept = std::min(positive.size(), splade.max_active_dims.value_or(kVocabulary));
    ASSERT_EQ(outputs_[s].lexical_weights.size(), kept);
    for (const TokenWeight& weight : outputs_[s].lexical_weights) {
      EXPECT_NEAR(weight.weight, expected[static_cast<size_t>(weight.id)], kTolerance);
      EXPECT_GE(weight.weight, positive[kept - 1] - kTolerance);
    }
  }
}

INSTANTIATE_TEST_SUITE_P(Forms, CpuSplade,
                         testing::Values(Splade{}, Splade{.sums = true}, Splade{.log_twice = true},
                                         Splade{.sums = true, .max_active_dims = 5}));

}  // namespace
}  // namespace embedding
