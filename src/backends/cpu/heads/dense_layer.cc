#include "backends/cpu/heads/dense_layer.h"

#include <algorithm>
#include <cmath>

namespace embedding {
namespace {

// Whether the product does it.
bool IsFused(Activation activation) {
  return activation == Activation::kGelu || activation == Activation::kGeluTanh;
}

std::unique_ptr<Linear> Pack(const LinearTensors& tensors, Activation activation,
                             ThreadTeam& team) {
  AlignedBuffer<float> weight(tensors.weight.elements());
  CopyToF32(tensors.weight, weight.span());
  AlignedBuffer<float> bias(tensors.bias ? tensors.bias->elements() : 0);
  if (tensors.bias) CopyToF32(*tensors.bias, bias.span());
  return PackLinear(team, LinearTypes(),
                    {weight.span(), bias.span(), tensors.in_features(), tensors.out_features()},
                    IsFused(activation) ? activation : Activation::kIdentity);
}

}  // namespace

DenseLayer::DenseLayer(const LinearTensors& tensors, Activation activation, ThreadTeam& team)
    : in_features_(tensors.in_features()),
      out_features_(tensors.out_features()),
      activation_(activation),
      linear_(Pack(tensors, activation, team)) {}

std::span<float> DenseLayer::Run(std::span<const float> input) {
  const size_t rows = input.size() / in_features_;
  output_.Resize(rows * out_features_);
  const std::span<float> output = output_.span();
  if (rows == 0) return output;
  linear_->Run({input.data(), rows, in_features_}, {output.data(), rows, out_features_}, {});
  for (float& value : output) {
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
  return output;
}

}  // namespace embedding
