// Numbers to test kernels with.
#pragma once

#include <cstddef>
#include <cstdint>
#include <random>
#include <vector>

namespace embedding {

template <typename T = float>
std::vector<T> Random(size_t n, uint32_t seed, float scale = 1) {
  std::mt19937 generator(seed);
  std::normal_distribution<float> normal(0, scale);
  std::vector<T> values(n);
  for (T& x : values) x = static_cast<T>(normal(generator));
  return values;
}

}  // namespace embedding
