#include "backends/cpu/mixture.h"

#include <algorithm>
#include <vector>

#include "backends/experts.h"

namespace embedding {

Mixture::Mixture(EncoderTypes types)
    : input_(types.weight),
      intermediate_(types.between, types.weight, Handover::Writer::kProduct) {}

void Mixture::Run(const FeedForward& feed_forward, const LayerWeights& weights,
                  std::span<const float> x, size_t hidden_size, std::span<float> out) {
  const size_t total = x.size() / hidden_size;
  const size_t experts = feed_forward.experts->count;
  logits_.Resize(total * experts);
  weights.router->Run({x.data(), total, hidden_size}, {logits_.data(), total, experts}, {});
  const auto by_expert = ChooseExperts(*feed_forward.experts, logits_.span());
  for (size_t i = 0; i < out.size(); i += hidden_size) {
    if (weights.experts_bias.size() == 0) {
      std::fill_n(out.begin() + static_cast<ptrdiff_t>(i), hidden_size, 0.0F);
    } else {
      std::ranges::copy(weights.experts_bias.span(), out.begin() + static_cast<ptrdiff_t>(i));
    }
  }
  for (size_t e = 0; e < by_expert.size(); ++e) {
    const std::vector<ExpertChoice>& choices = by_expert[e];
    if (choices.empty()) continue;
    const size_t rows = choices.size();
    input_.Resize(rows, hidden_size);
    intermediate_.Resize(rows, feed_forward.width);
    output_.Resize(rows * hidden_size);
    for (size_t i = 0; i < rows; ++i) input_.Set(i, x.data() + choices[i].row * hidden_size);
    weights.feed_forward[e].intermediate->Run(input_.View(0, rows), intermediate_.Output(rows),
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
