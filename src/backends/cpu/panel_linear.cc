#include "backends/cpu/panel_linear.h"

#include <algorithm>
#include <cstdint>
#include <type_traits>

#include "backends/cpu/panel_product.h"
#include "base/aligned_buffer.h"

#undef HWY_TARGET_INCLUDE
#define HWY_TARGET_INCLUDE "backends/cpu/panel_linear.cc"
#include "hwy/foreach_target.h"  // IWYU pragma: keep

#include "backends/cpu/elementwise-inl.h"
#include "hwy/highway.h"

HWY_BEFORE_NAMESPACE();
namespace embedding {
namespace HWY_NAMESPACE {
namespace hn = hwy::HWY_NAMESPACE;

// out[0 .. columns) = activation(sums + bias). Sums and bias are `width` long.
template <typename T>
HWY_INLINE void AddBias(const float* HWY_RESTRICT sums, const float* HWY_RESTRICT bias,
                        Activation activation, size_t width, size_t columns, T* HWY_RESTRICT out) {
  const hn::ScalableTag<float> d;
  HWY_ALIGN T edge[kMaxPanelWidth];
  T* HWY_RESTRICT to = columns == width ? out : edge;
  for (size_t c = 0; c < width; c += hn::Lanes(d)) {
    const auto y = hn::Add(hn::Load(d, sums + c), hn::Load(d, bias + c));
    StoreFromF32(d, Activate(d, activation, y), to + c);
  }
  if (columns != width) std::copy_n(edge, columns, out);
}

void AddBiasF32(const float* sums, const float* bias, Activation activation, size_t width,
                size_t columns, float* out) {
  AddBias(sums, bias, activation, width, columns, out);
}
void AddBiasBf16(const float* sums, const float* bias, Activation activation, size_t width,
                 size_t columns, BFloat16* out) {
  AddBias(sums, bias, activation, width, columns, out);
}

}  // namespace HWY_NAMESPACE
}  // namespace embedding
HWY_AFTER_NAMESPACE();

#if HWY_ONCE
namespace embedding {

HWY_EXPORT(AddBiasF32);
HWY_EXPORT(AddBiasBf16);

namespace {

template <typename In, typename Out>
class PanelLinear : public Linear<In, Out> {
 public:
  // element(weight) is one as the kernel stores it.
  template <typename Element>
  PanelLinear(ThreadTeam& team, const MicroKernel& kernel, const LinearWeights& parameters,
              Activation activation, const Element& element)
      : team_(team),
        kernel_(kernel),
        in_features_(parameters.in_features),
        out_features_(parameters.out_features),
        activation_(activation),
        weight_(PackPanels<std::invoke_result_t<Element, float>>(
            team, kernel, in_features_, out_features_,
            [&](size_t feature, size_t first, size_t count, auto* to) {
              const float* from = parameters.weight.data() + feature * in_features_ + first;
              std::transform(from, from + count, to, element);
            })),
        bias_(weight_.panels * kernel.width) {
    std::fill_n(bias_.data(), bias_.size(), 0.0F);
    std::copy(parameters.bias.begin(), parameters.bias.end(), bias_.data());
  }

  void Run(InputView<In> input, MatrixView<Out> output, const RowEpilogue& epilogue) override {
    const In* left = input.data;
    size_t columns = in_features_;
    if (in_features_ % kernel_.group != 0) {
      columns = weight_.depth * kernel_.group;
      PadRows(input, columns);
      left = padded_.data();
    }
    MultiplyPanels(
        team_, kernel_, weight_, reinterpret_cast<const uint8_t*>(left), columns * sizeof(In),
        input.rows,
        [&](size_t panel, size_t row, size_t rows, const uint8_t* sums) {
          Epilogue(panel, row, rows, reinterpret_cast<const float*>(sums), output);
        },
        epilogue);
  }

 private:
  // Rows that end within a word get a copy that does not.
  void PadRows(InputView<In> input, size_t columns) {
    padded_.Resize(input.rows * columns);
    std::fill_n(padded_.data(), padded_.size(), In());
    for (size_t r = 0; r < input.rows; ++r) {
      std::copy_n(input.data + r * in_features_, in_features_, padded_.data() + r * columns);
    }
  }

  void Epilogue(size_t panel, size_t row, size_t rows, const float* sums,
                MatrixView<Out> output) const {
    const size_t width = kernel_.width;
    const size_t first = panel * width;
    const size_t columns = std::min(width, out_features_ - first);
    const float* bias = bias_.data() + first;
    for (size_t r = 0; r < rows; ++r) {
      Out* out = output.data + (row + r) * out_features_ + first;
      if constexpr (std::is_same_v<Out, float>) {
        HWY_DYNAMIC_DISPATCH(AddBiasF32)(sums + r * width, bias, activation_, width, columns, out);
      } else {
        HWY_DYNAMIC_DISPATCH(AddBiasBf16)(sums + r * width, bias, activation_, width, columns, out);
      }
    }
  }

  ThreadTeam& team_;
  const MicroKernel kernel_;
  const size_t in_features_;
  const size_t out_features_;
  const Activation activation_;
  const PackedWeight weight_;
  AlignedBuffer<float> bias_;  // [panels * width]
  // Of the product that runs.
  AlignedBuffer<In> padded_;
};

}  // namespace

bool PanelsMultiplyBf16() { return Bf16Kernel().has_value(); }

template <typename In, typename Out>
std::unique_ptr<Linear<In, Out>> PackPanelLinear(ThreadTeam& team, const LinearWeights& parameters,
                                                 Activation activation) {
  MicroKernel kernel;
  if constexpr (std::is_same_v<In, float>) {
    kernel = F32Kernel();
  } else {
    kernel = *Bf16Kernel();
  }
  return std::make_unique<PanelLinear<In, Out>>(team, kernel, parameters, activation,
                                                [](float x) { return In(x); });
}

std::unique_ptr<Linear<float, float>> PackF16PanelLinear(ThreadTeam& team,
                                                         const LinearWeights& parameters,
                                                         Activation activation) {
  return std::make_unique<PanelLinear<float, float>>(team, F16Kernel(), parameters, activation,
                                                     F16BitsFromFloat);
}

template std::unique_ptr<Linear<float, float>> PackPanelLinear(ThreadTeam&, const LinearWeights&,
                                                               Activation);
template std::unique_ptr<Linear<BFloat16, BFloat16>> PackPanelLinear(ThreadTeam&,
                                                                     const LinearWeights&,
                                                                     Activation);
template std::unique_ptr<Linear<BFloat16, float>> PackPanelLinear(ThreadTeam&, const LinearWeights&,
                                                                  Activation);

}  // namespace embedding
#endif  // HWY_ONCE
