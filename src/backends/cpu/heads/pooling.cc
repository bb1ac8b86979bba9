#include "backends/cpu/heads/pooling.h"

#include <algorithm>
#include <cmath>

namespace embedding {
namespace {

// out = sum over tokens from `first` on of weight(i) * hidden[i]
template <typename Weight>
void WeightedSum(std::span<const float> hidden, size_t hidden_size, size_t first,
                 std::span<float> out, Weight weight) {
  std::fill(out.begin(), out.end(), 0.0F);
  const size_t tokens = hidden.size() / hidden_size;
  for (size_t i = first; i < tokens; ++i) {
    const float w = weight(i);
    const float* row = hidden.data() + i * hidden_size;
    for (size_t k = 0; k < hidden_size; ++k) out[k] += w * row[k];
  }
}

void Scale(std::span<float> vector, float factor) {
  for (float& x : vector) x *= factor;
}

}  // namespace

void Pool(Pooling pooling, std::span<const float> hidden, size_t hidden_size, size_t first,
          std::span<float> out) {
  const size_t tokens = hidden.size() / hidden_size;
  if (first >= tokens && pooling == Pooling::kCls) first = 0;
  if (first >= tokens) {
    std::fill(out.begin(), out.end(), 0.0F);
    return;
  }
  const auto one = [](size_t) { return 1.0F; };
  const auto n = static_cast<float>(tokens - first);
  const auto before = static_cast<float>(first);
  switch (pooling) {
    case Pooling::kCls:
      std::copy_n(hidden.begin() + static_cast<ptrdiff_t>(first * hidden_size), hidden_size,
                  out.begin());
      break;
    case Pooling::kLastToken:
      std::copy(hidden.end() - static_cast<ptrdiff_t>(hidden_size), hidden.end(), out.begin());
      break;
    case Pooling::kMean:
      WeightedSum(hidden, hidden_size, first, out, one);
      Scale(out, 1.0F / n);
      break;
    case Pooling::kMeanSqrtLenTokens:
      WeightedSum(hidden, hidden_size, first, out, one);
      Scale(out, 1.0F / std::sqrt(n));
      break;
    case Pooling::kWeightedMean:
      WeightedSum(hidden, hidden_size, first, out,
                  [](size_t i) { return static_cast<float>(i + 1); });
      Scale(out, 2.0F / (n * (2 * before + n + 1)));
      break;
    case Pooling::kMax:
      std::copy_n(hidden.begin() + static_cast<ptrdiff_t>(first * hidden_size), hidden_size,
                  out.begin());
      for (size_t i = first + 1; i < tokens; ++i) {
        for (size_t k = 0; k < hidden_size; ++k) {
          out[k] = std::max(out[k], hidden[i * hidden_size + k]);
        }
      }
      break;
  }
}

}  // namespace embedding
