// Vectors of length 1.
#pragma once

#include <algorithm>
#include <cmath>
#include <span>

namespace embedding {

// Divides `vector` by its L2 norm, or by 1e-12 where the norm is smaller, as torch's normalize.
inline void NormalizeL2(std::span<float> vector) {
  double squares = 0;
  for (const float x : vector) squares += static_cast<double>(x) * x;
  const float factor = 1.0F / std::max(static_cast<float>(std::sqrt(squares)), 1e-12F);
  for (float& x : vector) x *= factor;
}

}  // namespace embedding
