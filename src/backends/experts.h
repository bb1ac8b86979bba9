// Which of a mixture's experts each row goes through: Experts of model/architecture.h.
#pragma once

#include <algorithm>
#include <cmath>
#include <cstddef>
#include <limits>
#include <numeric>
#include <span>
#include <vector>

#include "model/architecture.h"

namespace embedding {

struct ExpertChoice {
  size_t row;
  float weight;
};

// By expert the rows that it is chosen for, ascending, out of the router's logits, [rows, count].
// Of equal logits the first is taken, NaN last.
inline std::vector<std::vector<ExpertChoice>> ChooseExperts(const Experts& experts,
                                                            std::span<const float> logits) {
  const size_t count = experts.count;
  std::vector<std::vector<ExpertChoice>> choices(count);
  std::vector<size_t> best(count);
  for (size_t row = 0; row < logits.size() / count; ++row) {
    const std::span<const float> of_row = logits.subspan(row * count, count);
    std::iota(best.begin(), best.end(), size_t{0});
    const auto chosen = best.begin() + static_cast<ptrdiff_t>(experts.chosen);
    const auto rank = [of_row](size_t e) {
      return std::isnan(of_row[e]) ? -std::numeric_limits<float>::infinity() : of_row[e];
    };
    std::partial_sort(best.begin(), chosen, best.end(), [&](size_t a, size_t b) {
      return rank(a) > rank(b) || (rank(a) == rank(b) && a < b);
    });
    float sum = 0;
    for (const float logit : of_row) sum += std::exp(logit - of_row[best[0]]);
    std::for_each(best.begin(), chosen, [&](size_t e) {
      choices[e].push_back({row, std::exp(of_row[e] - of_row[best[0]]) / sum});
    });
  }
  return choices;
}

}  // namespace embedding
