// What the tests of products in every type check by.
#pragma once

#include <gtest/gtest.h>

#include <cmath>
#include <cstddef>
#include <limits>
#include <vector>

#include "backends/cpu/linear.h"

namespace embedding {

inline constexpr double kEpsilon = std::numeric_limits<float>::epsilon();

inline double Gelu(double x) { return 0.5 * x * (1 + std::erf(x / std::sqrt(2.0))); }

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
