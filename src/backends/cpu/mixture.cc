#include "backends/cpu/mixture.h"

#include <algorithm>
#include <cmath>
#include <numeric>

namespace embedding {

Mixture::Mixture(EncoderTypes types)
    : input_(LinearTypes{types.weight}.input()),
      intermediate_(types.between, LinearTypes{types.weight}.input()) {}

void Mixture::Choose(const FeedForward& feed_forward, const LayerWeights& weights,
                     std::span<const float> x, size_t hidden_size) {
  const size_t experts = feed_forward.experts->count;
  const size_t rows = x.size() / hidden_size;
  logits_.Resize(rows * experts);
  weights.router->Run({x.data(), rows, hidden_size}, {logits_.data(), rows, experts}, {});
  choices_.resize(experts);
  for (auto& of_expert : choices_) of_expert.clear();
  std::vector<size_t> best(experts);
  for (size_t row = 0; row < rows; ++row) {
    const float* const logits = logits_.data() + row * experts;
    std::iota(best.begin(), best.end(), size_t{0});
    const auto chosen = best.begin() + static_cast<ptrdiff_t>(feed_forward.experts->chosen);
    std::partial_sort(best.begin(), chosen, best.end(), [&](size_t a, size_t b) {
      return logits[a] > logits[b] || (logits[a] == logits[b] && a < b);
    });
    float sum = 0;
    for (size_t e = 0; e < experts; ++e) sum += std::exp(logits[e] - logits[best[0]]);
    std::for_each(best.begin(), chosen, [&](size_t e) {
      choices_[e].push_back({row, std::exp(logits[e] - logits[best[0]]) / sum});
    });
  }
}

void Mixture::Run(const FeedForward& feed_forward, const LayerWeights& weights,
                  std::span<const float> x, size_t hidden_size, std::span<float> out) {
  Choose(feed_forward, weights, x, hidden_size);
  for (size_t i = 0; i < out.size(); i += hidden_size) {
    if (weights.experts_bias.size() == 0) {
      std::fill_n(out.begin() + static_cast<ptrdiff_t>(i), hidden_size, 0.0F);
    } else {
      std::ranges::copy(weights.experts_bias.span(), out.begin() + static_cast<ptrdiff_t>(i));
    }
  }
  for (size_t e = 0; e < choices_.size(); ++e) {
    const std::vector<Choice>& choices = choices_[e];
    if (choices.empty()) continue;
    const size_t rows = choices.size();
    input_.Resize(rows, hidden_size);
    intermediate_.Resize(rows, feed_forward.width);
    output_.Resize(rows * hidden_size);
    for (size_t i = 0; i < rows; ++i) input_.Set(i, x.data() + choices[i].row * hidden_size);
    weights.feed_forward[e].intermediate->Run(input_.View(0, rows),
                                              {intermediate_.data(), rows, feed_forward.width},
                                              intermediate_.Epilogue());
    weights.feed_forward[e].output->Run(intermediate_.View(0, rows),
                                        {output_.data(), rows, hidden_size}, {});
    for (size_t i = 0; i < rows; ++i) {
      float* const to = out.data() + choices[i].row * hidden_size;
      const float* const from = output_.data() + i * hidden_size;
      for (size_t k = 0; k < hidden_size; ++k) to[k] += choices[i].weight * from[k];
    }
  }
}

}  // namespace embedding
