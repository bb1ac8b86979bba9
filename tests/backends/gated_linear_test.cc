// Gated products: what two products of the same kind give, multiplied.
#include "backends/cpu/gated_linear.h"

#include <gtest/gtest.h>

#include <cstddef>
#include <initializer_list>
#include <memory>
#include <span>
#include <utility>
#include <vector>

#include "backends/cpu/input_matrix.h"
#include "backends/cpu/int8_linear.h"
#include "backends/each_target.h"
#include "backends/linear_checks.h"
#include "backends/random.h"
#include "backends/team.h"

namespace embedding {
namespace {

// A product of f32 with a gate, or one without; out_features are those of the weight.
using Make = std::unique_ptr<Linear> (*)(const LinearWeights&, Activation, bool gated);

std::unique_ptr<Linear> F32(const LinearWeights& weights, Activation activation, bool gated) {
  return PackByOwnKernels(TeamOf(2), LinearTypes(), weights, activation, gated);
}

std::unique_ptr<Linear> Int8Panels(const LinearWeights& weights, Activation activation,
                                   bool gated) {
  return PackInt8Linear(TeamOf(2), DType::kF32, weights, activation, gated);
}

std::unique_ptr<Linear> UponALibrary(const LinearWeights& weights, Activation activation,
                                     bool gated) {
  if (!gated) return F32(weights, activation, false);
  return MakeGatedLinear(F32(weights, Activation::kIdentity, false), DType::kF32,
                         weights.out_features, activation);
}

std::vector<float> Run(Linear& linear, const InputMatrix& input, size_t rows, size_t outputs) {
  std::vector<float> output(rows * outputs);
  RowCount finished(rows);
  linear.Run(input.View(0, rows), {output.data(), rows, outputs}, finished.Step());
  finished.ExpectEachOnce();
  return output;
}

void ExpectGated(Make make, DType input_type, size_t rows, size_t in, size_t out,
                 Activation activation, bool with_bias) {
  SCOPED_TRACE(testing::Message() << rows << " x " << in << " x " << out);
  const std::vector<float> x = Random(rows * in, 1);
  InputMatrix input(input_type);
  input.Resize(rows, in);
  for (size_t r = 0; r < rows; ++r) input.Set(r, x.data() + r * in);
  const std::vector<float> weight = Random(2 * out * in, 2);
  const std::vector<float> bias = with_bias ? Random(2 * out, 3) : std::vector<float>();
  const auto half = [&](size_t first) {
    return LinearWeights{std::span(weight).subspan(first * in, out * in),
                         with_bias ? std::span(bias).subspan(first, out) : std::span<const float>(),
                         in, out};
  };
  const auto gated = make({weight, bias, in, 2 * out}, activation, true);
  const std::vector<float> actual = Run(*gated, input, rows, out);
  const std::vector<float> gate = Run(*make(half(0), activation, false), input, rows, out);
  const std::vector<float> up =
      Run(*make(half(out), Activation::kIdentity, false), input, rows, out);
  for (size_t i = 0; i < actual.size(); ++i) ASSERT_EQ(actual[i], gate[i] * up[i]) << i;
}

struct Kind {
  const char* name;
  Make make;
  DType input;
};

class GatedLinear : public testing::TestWithParam<Kind> {};
INSTANTIATE_TEST_SUITE_P(All, GatedLinear,
                         testing::Values(Kind{"F32", F32, DType::kF32},
                                         Kind{"Int8", Int8Panels, DType::kI8},
                                         Kind{"Library", UponALibrary, DType::kF32}),
                         [](const auto& kind) { return kind.param.name; });

TEST_P(GatedLinear, IsTheProductOfTwoProducts) {
  const Kind& kind = GetParam();
  ForEachTarget([&] {
    for (const size_t out : std::initializer_list<size_t>{1, 4, 7, 16, 33, 100}) {
      ExpectGated(kind.make, kind.input, 9, 64, out, Activation::kGelu, true);
    }
    for (const Activation activation : kActivations) {
      ExpectGated(kind.make, kind.input, 5, 40, 96, activation, false);
    }
  });
}

TEST(GatedLinear, RoundsOnlyWhatItWrites) {
  const std::vector<float> weight = Random(80 * 64, 2);
  const std::vector<float> x = Random(3 * 64, 1);
  const LinearWeights weights = {weight, {}, 64, 80};
  std::vector<float> exact(3 * 40);
  std::vector<BFloat16> rounded(3 * 40);
  PackByOwnKernels(TeamOf(2), LinearTypes(), weights, Activation::kSilu, true)
      ->Run({x.data(), 3, 64}, {exact.data(), 3, 40}, {});
  PackByOwnKernels(TeamOf(2), {DType::kF32, DType::kBF16}, weights, Activation::kSilu, true)
      ->Run({x.data(), 3, 64}, {rounded.data(), 3, 40}, {});
  for (size_t i = 0; i < exact.size(); ++i) {
    ASSERT_EQ(rounded[i].bits, BFloat16(exact[i]).bits) << i;
  }
}

}  // namespace
}  // namespace embedding
