#include "backends/cpu/cpu_linear.h"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <exception>

#include "backends/cpu/matmul.h"
#include "base/aligned_buffer.h"

namespace embedding {
namespace {

bool IsFused(Activation activation) {
  return activation == Activation::kGelu || activation == Activation::kGeluTanh;
}

class CpuLinear : public LinearLayer {
 public:
  CpuLinear(const LinearParameters& parameters, Activation activation, ThreadTeam& team)
      : matmul_(PackMatMul<float, float>(team, parameters,
                                         IsFused(activation) ? activation : Activation::kIdentity)),
        in_features_(parameters.in_features),
        out_features_(parameters.out_features),
        activation_(activation) {}

  void Apply(size_t rows, std::span<const float> input, std::span<float> output) override {
    matmul_->Run({input.data(), rows, in_features_}, {output.data(), rows, out_features_}, {});
    for (float& value : output.first(rows * out_features_)) {
      switch (activation_) {
        case Activation::kTanh:
          value = std::tanh(value);
          break;
        case Activation::kRelu:
          value = std::max(value, 0.0F);
          break;
        case Activation::kSigmoid:
          value = 1.0F / (1.0F + std::exp(-value));
          break;
        case Activation::kIdentity:
        case Activation::kGelu:
        case Activation::kGeluTanh:
          break;  // fused into the product
      }
    }
  }

 private:
  const std::unique_ptr<MatMul<float, float>> matmul_;
  const size_t in_features_;
  const size_t out_features_;
  const Activation activation_;
};

}  // namespace

Result<std::unique_ptr<LinearLayer>> MakeCpuLinear(const TensorView& weight, const TensorView* bias,
                                                   Activation activation, ThreadTeam& team) {
  try {
    const auto out_features = static_cast<size_t>(weight.shape[0]);
    const auto in_features = static_cast<size_t>(weight.shape[1]);
    AlignedBuffer<float> weight_f32(out_features * in_features);
    CopyToF32(weight, weight_f32.span());
    AlignedBuffer<float> bias_f32(bias != nullptr ? out_features : 0);
    if (bias != nullptr) CopyToF32(*bias, bias_f32.span());
    const LinearParameters parameters{weight_f32.span(), bias_f32.span(), in_features,
                                      out_features};
    return std::unique_ptr<LinearLayer>(std::make_unique<CpuLinear>(parameters, activation, team));
  } catch (const std::exception& e) {
    return Error{
        ErrorCode::kModelLoad, fmt::format("packing a dense layer failed: {}", e.what()), {}};
  }
}

}  // namespace embedding
