#include "backends/cpu/heads/dense_layer.h"

namespace embedding {
namespace {

std::unique_ptr<Linear> Pack(const LinearTensors& tensors, Activation activation,
                             ThreadTeam& team) {
  AlignedBuffer<float> weight(tensors.weight.elements());
  CopyToF32(tensors.weight, weight.span());
  AlignedBuffer<float> bias(tensors.bias ? tensors.bias->elements() : 0);
  if (tensors.bias) CopyToF32(*tensors.bias, bias.span());
  return PackLinear(team, LinearTypes(),
                    {weight.span(), bias.span(), tensors.in_features(), tensors.out_features()},
                    activation);
}

}  // namespace

DenseLayer::DenseLayer(const LinearTensors& tensors, Activation activation, ThreadTeam& team)
    : in_features_(tensors.in_features()),
      out_features_(tensors.out_features()),
      linear_(Pack(tensors, activation, team)) {}

std::span<float> DenseLayer::Run(std::span<const float> input) {
  const size_t rows = input.size() / in_features_;
  output_.Resize(rows * out_features_);
  const std::span<float> output = output_.span();
  if (rows == 0) return output;
  linear_->Run({input.data(), rows, in_features_}, {output.data(), rows, out_features_}, {});
  return output;
}

}  // namespace embedding
