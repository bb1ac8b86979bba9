#include "backends/mlx/arrays.h"

#include <mlx/mlx.h>

#include <cmath>
#include <numbers>
#include <utility>

namespace embedding {

namespace mx = mlx::core;

namespace {

mx::Shape ShapeOf(const TensorView& tensor) {
  mx::Shape shape;
  for (const int64_t size : tensor.shape) shape.push_back(static_cast<mx::ShapeElem>(size));
  return shape;
}

// A number of x's type, so that the result is of that type too.
mx::array Constant(double value, const mx::array& x) {
  return mx::array(static_cast<float>(value), x.dtype());
}

}  // namespace

mx::array ToArray(const TensorView& tensor, mx::Dtype dtype) {
  std::vector<float> numbers(tensor.elements());
  CopyToF32(tensor, numbers);
  mx::array array = mx::astype(mx::array(numbers.begin(), ShapeOf(tensor), mx::float32), dtype);
  array.eval();
  return array;
}

mx::array ToArray(std::span<const int32_t> indices, const mx::Shape& shape) {
  return mx::array(indices.begin(), shape, mx::int32);
}

mx::array MlxLinear::operator()(const mx::array& x) const { return mx::addmm(bias, x, weight); }

MlxLinear LoadLinear(const LinearTensors& tensors, mx::Dtype dtype) {
  return LoadLinears({&tensors, 1}, dtype);
}

MlxLinear LoadLinears(std::span<const LinearTensors> tensors, mx::Dtype dtype) {
  std::vector<mx::array> weights;
  std::vector<mx::array> biases;
  for (const LinearTensors& linear : tensors) {
    weights.push_back(ToArray(linear.weight, dtype));
    biases.push_back(linear.bias ? ToArray(*linear.bias, dtype)
                                 : mx::zeros({weights.back().shape(0)}, dtype));
  }
  // A product reads W^T as it lies; nothing is transposed in memory.
  MlxLinear linear = {mx::transpose(mx::concatenate(std::move(weights), 0)),
                      mx::concatenate(std::move(biases), 0)};
  mx::eval(linear.weight, linear.bias);
  return linear;
}

mx::array MlxNorm::operator()(const mx::array& x) const {
  return kind == NormKind::kLayer ? mx::fast::layer_norm(x, weight, bias, eps)
                                  : mx::fast::rms_norm(x, weight, eps);
}

MlxNorm LoadNorm(const NormTensors& tensors, const Norm& norm, mx::Dtype dtype) {
  mx::array weight = ToArray(tensors.weight, norm.plus_one ? mx::float32 : dtype);
  if (norm.plus_one) {
    weight = mx::astype(weight + mx::array(1.0F), dtype);
    weight.eval();
  }
  MlxNorm made = {norm.kind, norm.eps, std::move(weight), std::nullopt};
  if (norm.has_bias()) made.bias = ToArray(*tensors.bias, dtype);
  return made;
}

std::optional<MlxNorm> LoadNorm(const std::optional<NormTensors>& tensors,
                                const std::optional<Norm>& norm, mx::Dtype dtype) {
  if (!norm) return std::nullopt;
  if (!norm->weighted) return MlxNorm{norm->kind, norm->eps, std::nullopt, std::nullopt};
  return LoadNorm(*tensors, *norm, dtype);
}

mx::array Activate(Activation activation, const mx::array& x) {
  using std::numbers::inv_pi;
  using std::numbers::sqrt2;
  const mx::array half = Constant(0.5, x);
  const mx::array one = Constant(1, x);
  switch (activation) {
    case Activation::kIdentity:
      break;
    case Activation::kTanh:
      return mx::tanh(x);
    case Activation::kRelu:
      return mx::maximum(x, Constant(0, x));
    case Activation::kGelu:
      return x * half * (one + mx::erf(x * Constant(1 / sqrt2, x)));
    case Activation::kGeluTanh: {
      const mx::array cubic = x + Constant(0.044715, x) * x * x * x;
      return x * half * (one + mx::tanh(Constant(std::sqrt(2 * inv_pi), x) * cubic));
    }
    case Activation::kSigmoid:
      return mx::sigmoid(x);
    case Activation::kSilu:
      return x * mx::sigmoid(x);
  }
  return x;
}

mx::array TakeRows(const mx::array& x, const mx::array& indices) { return mx::take(x, indices, 0); }

}  // namespace embedding
