// What the tests of products in every type check by.
#pragma once

#include <gtest/gtest.h>

#include <cmath>
#include <cstddef>
#include <limits>
#include <memory>
#include <numbers>
#include <span>
#include <vector>

#include "backends/cpu/linear.h"
#include "backends/cpu/micro_kernels.h"
#include "backends/cpu/panel_linear.h"
#include "backends/cpu/sliced_linear.h"

namespace embedding {

inline constexpr double kEpsilon = std::numeric_limits<float>::epsilon();

inline constexpr Activation kActivations[] = {
    Activation::kIdentity, Activation::kTanh,    Activation::kRelu, Activation::kGelu,
    Activation::kGeluTanh, Activation::kSigmoid, Activation::kSilu};

// By the definition, none of whose derivatives is above 1.13.
inline double Apply(Activation activation, double x) {
  switch (activation) {
    case Activation::kIdentity:
      break;
    case Activation::kTanh:
      return std::tanh(x);
    case Activation::kRelu:
      return x > 0 ? x : 0;
    case Activation::kGelu:
      return 0.5 * x * (1 + std::erf(x / std::sqrt(2.0)));
    case Activation::kGeluTanh:
      return 0.5 * x *
             (1 + std::tanh(std::sqrt(2 / std::numbers::pi) * (x + 0.044715 * x * x * x)));
    case Activation::kSigmoid:
      return 1 / (1 + std::exp(-x));
    case Activation::kSilu:
      return x / (1 + std::exp(-x));
  }
  return x;
}

// That output [rows, out_features] is activation(input W^T + b), to what f32 allows.
inline void ExpectProduct(std::span<const float> output, std::span<const float> input,
                          const LinearWeights& of, Activation activation) {
  for (size_t r = 0; r < output.size() / of.out_features; ++r) {
    for (size_t o = 0; o < of.out_features; ++o) {
      double sum = of.bias.empty() ? 0 : static_cast<double>(of.bias[o]);
      double norm = std::abs(sum);
      for (size_t i = 0; i < of.in_features; ++i) {
        const double term =
            static_cast<double>(input[r * of.in_features + i]) * of.weight[o * of.in_features + i];
        sum += term;
        norm += std::abs(term);
      }
      // Rounding of a sum grows with the sum of the terms' sizes; erf's approximation adds its own.
      ASSERT_NEAR(output[r * of.out_features + o], Apply(activation, sum),
                  4 * kEpsilon * (norm + 1))
          << of.in_features << " x " << of.out_features << ", row " << r << ", output " << o;
    }
  }
}

// A product by the kernels of our own, whichever they are here: of f32 in slices or not.
inline std::unique_ptr<Linear> PackByOwnKernels(ThreadTeam& team, LinearTypes types,
                                                const LinearWeights& weights, Activation activation,
                                                bool gated = false) {
  if (types.weight == DType::kF32 && F32SlicesKernel(weights.in_features)) {
    return PackSlicedLinear(team, types.output, weights, activation, gated);
  }
  return PackPanelLinear(team, types, weights, activation, gated);
}

// What a product's `epilogue` was given.
class RowCount {
 public:
  explicit RowCount(size_t rows) : times_(rows) {}
  RowEpilogue Step() {
    return [this](size_t begin, size_t end) {
      for (size_t r = begin; r < end; ++r) ++times_[r];
    };
  }
  void ExpectEachOnce() const {
    for (const int n : times_) EXPECT_EQ(n, 1);
  }

 private:
  std::vector<int> times_;
};

}  // namespace embedding
