#include "backends/mlx/mlx_experts.h"

#include <mlx/mlx.h>

#include <vector>

#include "backends/mlx/mlx_feed_forward.h"

namespace embedding {

namespace mx = mlx::core;

namespace {

int Int(size_t n) { return static_cast<int>(n); }

}  // namespace

MlxExperts LoadExperts(const LayerTensors& tensors, mx::Dtype dtype) {
  std::vector<mx::array> intermediate;
  std::vector<mx::array> output;
  for (const FeedForwardTensors& expert : tensors.feed_forward) {
    std::vector<LinearTensors> parts;
    if (expert.gate) parts.push_back(*expert.gate);
    parts.push_back(expert.intermediate);
    intermediate.push_back(LoadLinears(parts, dtype).weight);
    output.push_back(LoadLinear(expert.output, dtype).weight);
  }
  MlxExperts made = {LoadLinear(*tensors.router, dtype).weight, mx::stack(intermediate),
                     mx::stack(output), std::nullopt};
  if (tensors.experts_bias) made.bias = ToArray(*tensors.experts_bias, dtype);
  mx::eval(made.router, made.intermediate, made.output);
  return made;
}

mx::array RunExperts(const FeedForward& feed_forward, const MlxExperts& experts,
                     const mx::array& x) {
  const int rows = x.shape(0);
  const int chosen = Int(feed_forward.experts->chosen);
  const mx::array logits = mx::astype(mx::matmul(x, experts.router), mx::float32);
  // [rows, chosen]
  const mx::array best =
      mx::slice(mx::argpartition(mx::negative(logits), chosen - 1, 1), {0, 0}, {rows, chosen});
  const mx::array weights =
      mx::astype(mx::take_along_axis(mx::softmax(logits, 1), best, 1), x.dtype());
  // Rows of one expert stand together: it is read once then, and not for each row.
  const mx::array experts_of = mx::flatten(best);
  const mx::array order = mx::argsort(experts_of);
  const mx::array sorted = mx::take(experts_of, order);
  // MLX's CPU multiplies gathered matrices of f32 alone.
  const mx::Dtype type = mx::default_device() == mx::Device::cpu ? mx::float32 : x.dtype();
  const auto multiply = [&](const mx::array& of_rows, const mx::array& weight) {
    const mx::array product =
        mx::gather_mm(mx::expand_dims(mx::astype(of_rows, type), 1), mx::astype(weight, type),
                      std::nullopt, sorted, /*sorted_indices=*/true);
    return mx::astype(mx::squeeze(product, 1), x.dtype());
  };
  const mx::array given = TakeRows(x, mx::floor_divide(order, mx::array(chosen, order.dtype())));
  const mx::array inner = Activated(feed_forward, multiply(given, experts.intermediate));
  const mx::array outputs = TakeRows(multiply(inner, experts.output), mx::argsort(order));
  const mx::array sum =
      mx::sum(mx::reshape(outputs, {rows, chosen, -1}) * mx::expand_dims(weights, 2), 1);
  return experts.bias ? sum + *experts.bias : sum;
}

}  // namespace embedding
