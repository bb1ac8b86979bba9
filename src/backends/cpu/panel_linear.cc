#include "backends/cpu/panel_linear.h"

#include <algorithm>
#include <cstdint>
#include <type_traits>

#include "backends/cpu/add_bias.h"
#include "backends/cpu/panel_product.h"
#include "base/aligned_buffer.h"

namespace embedding {
namespace {

class PanelLinear : public Linear {
 public:
  // element(weight) is one as the kernel stores it.
  template <typename Element>
  PanelLinear(ThreadTeam& team, const MicroKernel& kernel, LinearTypes types,
              const LinearWeights& weights, Activation activation, bool gated,
              const Element& element)
      : team_(team),
        ends_(BiasEnds(types.output, activation, gated)),
        kernel_(WithEnds(kernel, ends_)),
        element_bytes_(DTypeBytes(types.input())),
        in_features_(weights.in_features),
        columns_(kernel.width, weights.out_features, gated),
        activation_(activation),
        weight_(PackPanels<std::invoke_result_t<Element, float>>(
            team, kernel, in_features_, columns_.size(),
            [&](size_t column, size_t first, size_t count, auto* to) {
              const std::optional<size_t> feature = columns_.feature(column);
              if (!feature) return;
              const float* from = weights.weight.data() + *feature * in_features_ + first;
              std::transform(from, from + count, to, element);
            })),
        bias_(columns_.size()) {
    for (size_t c = 0; c < bias_.size(); ++c) {
      const std::optional<size_t> feature = columns_.feature(c);
      bias_[c] = feature && !weights.bias.empty() ? weights.bias[*feature] : 0.0F;
    }
  }

  void Run(const InputView& input, const OutputView& output, const RowEpilogue& epilogue) override {
    MultiplyPanels(team_, kernel_, weight_, WholeWords(input),
                   {[&](size_t panel, size_t row, const void* sums, TileEnd& end) {
                      end = EndOf(panel, row, sums, output);
                    },
                    ends_.run},
                   epilogue);
  }

 private:
  // Rows that end within what the kernel takes get a copy that does not.
  InputView WholeWords(const InputView& input) {
    const size_t stride = weight_.depth * kernel_.word_bytes;
    if (input.in_tiles || in_features_ * element_bytes_ == stride) return input;
    padded_.Resize(input.rows * stride);
    std::fill_n(padded_.data(), padded_.size(), uint8_t{0});
    for (size_t r = 0; r < input.rows; ++r) {
      std::copy_n(static_cast<const uint8_t*>(input.data) + r * input.stride,
                  in_features_ * element_bytes_, padded_.data() + r * stride);
    }
    return {padded_.data(), input.rows, stride, nullptr};
  }

  TileEnd EndOf(size_t panel, size_t row, const void* sums, const OutputView& output) const {
    return {.columns = columns_.of(panel, bias_.data() + panel * kernel_.width, activation_),
            .place = {output, row, panel * columns_.panel_outputs()},
            .sums = sums};
  }

  ThreadTeam& team_;
  const TileEndFunctions ends_;
  const MicroKernel kernel_;
  const size_t element_bytes_;  // of the input
  const size_t in_features_;
  const PackedColumns columns_;
  const Activation activation_;
  const PackedWeight weight_;
  AlignedBuffer<float> bias_;  // [columns_.size()]
  // Of the product that runs.
  AlignedBuffer<uint8_t> padded_;
};

}  // namespace

bool PanelsMultiplyBf16() { return Bf16Kernel().has_value(); }

std::unique_ptr<Linear> PackPanelLinear(ThreadTeam& team, LinearTypes types,
                                        const LinearWeights& weights, Activation activation,
                                        bool gated) {
  switch (types.weight) {
    case DType::kBF16:
      return std::make_unique<PanelLinear>(team, *Bf16Kernel(), types, weights, activation, gated,
                                           [](float w) { return BFloat16(w); });
    case DType::kF16:
      return std::make_unique<PanelLinear>(team, F16Kernel(), types, weights, activation, gated,
                                           F16BitsFromFloat);
    default:
      return std::make_unique<PanelLinear>(team, F32Kernel(), types, weights, activation, gated,
                                           [](float w) { return w; });
  }
}

}  // namespace embedding
