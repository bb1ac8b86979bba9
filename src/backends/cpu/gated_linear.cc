#include "backends/cpu/gated_linear.h"

#include <utility>

#include "base/aligned_buffer.h"

#undef HWY_TARGET_INCLUDE
#define HWY_TARGET_INCLUDE "backends/cpu/gated_linear.cc"
#include "hwy/foreach_target.h"  // IWYU pragma: keep

#include "backends/cpu/elementwise-inl.h"
#include "hwy/highway.h"

HWY_BEFORE_NAMESPACE();
namespace embedding {
namespace HWY_NAMESPACE {
namespace hn = hwy::HWY_NAMESPACE;

void GateF32(Activation activation, const float* both, size_t features, float* out) {
  StoreGated(hn::ScalableTag<float>(), activation, both, features, features, out);
}
void GateBf16(Activation activation, const float* both, size_t features, BFloat16* out) {
  StoreGated(hn::ScalableTag<float>(), activation, both, features, features, out);
}

}  // namespace HWY_NAMESPACE
}  // namespace embedding
HWY_AFTER_NAMESPACE();

#if HWY_ONCE
namespace embedding {

HWY_EXPORT(GateF32);
HWY_EXPORT(GateBf16);

namespace {

class GatedLinear : public Linear {
 public:
  GatedLinear(std::unique_ptr<Linear> both, DType output, size_t both_features,
              Activation activation)
      : linear_(std::move(both)),
        output_(output),
        both_features_(both_features),
        activation_(activation) {}

  void Run(const InputView& input, const OutputView& output, const RowEpilogue& epilogue) override {
    constexpr size_t kVector = 16;  // numbers of the longest: so many more are read
    both_.Resize(input.rows * both_features_ + kVector);
    for (size_t i = 0; i < kVector; ++i) both_[input.rows * both_features_ + i] = 0;
    linear_->Run(input, {both_.data(), input.rows, both_features_}, [&](size_t begin, size_t end) {
      for (size_t row = begin; row < end; ++row) Gate(row, output.data);
      if (epilogue) epilogue(begin, end);
    });
  }

 private:
  void Gate(size_t row, void* output) const {
    const size_t features = both_features_ / 2;
    const float* const both = both_.data() + row * both_features_;
    if (output_ == DType::kF32) {
      HWY_DYNAMIC_DISPATCH(GateF32)
      (activation_, both, features, static_cast<float*>(output) + row * features);
    } else {
      HWY_DYNAMIC_DISPATCH(GateBf16)
      (activation_, both, features, static_cast<BFloat16*>(output) + row * features);
    }
  }

  const std::unique_ptr<Linear> linear_;
  const DType output_;
  const size_t both_features_;
  const Activation activation_;
  AlignedBuffer<float> both_;  // [rows, both_features], of the product that runs
};

}  // namespace

std::unique_ptr<Linear> MakeGatedLinear(std::unique_ptr<Linear> both, DType output,
                                        size_t both_features, Activation activation) {
  return std::make_unique<GatedLinear>(std::move(both), output, both_features, activation);
}

}  // namespace embedding
#endif  // HWY_ONCE
