#include "backends/mlx/mlx_feed_forward.h"

#include <mlx/mlx.h>

#include <array>

namespace embedding {

namespace mx = mlx::core;

namespace {

// Reads arrays in the order in which InputsOf writes them.
class Inputs {
 public:
  explicit Inputs(const std::vector<mx::array>& arrays) : arrays_(arrays) {}

  const mx::array& Next() { return arrays_[next_++]; }
  MlxLinear NextLinear() {
    const mx::array& weight = Next();
    return {weight, Next()};
  }
  // Of x, which is left as it is where there is no such norm.
  mx::array Normalized(const mx::array& x, const std::optional<Norm>& norm) {
    if (!norm) return x;
    MlxNorm loaded = {norm->kind, norm->eps, Next(), std::nullopt};
    if (norm->has_bias()) loaded.bias = Next();
    return loaded(x);
  }

 private:
  const std::vector<mx::array>& arrays_;
  size_t next_ = 0;
};

mx::array Activated(const FeedForward& feed_forward, const mx::array& x) {
  if (!feed_forward.gated) return Activate(feed_forward.activation, x);
  const std::vector<mx::array> halves = mx::split(x, 2, -1);
  return Activate(feed_forward.activation, halves[0]) * halves[1];
}

bool Equal(const std::optional<Norm>& a, const std::optional<Norm>& b) {
  return a.has_value() == b.has_value() &&
         (!a || (a->kind == b->kind && a->eps == b->eps && a->has_bias() == b->has_bias()));
}

bool Equal(const HalfNorms& a, const HalfNorms& b) {
  return Equal(a.input, b.input) && Equal(a.branch, b.branch) && Equal(a.output, b.output);
}

}  // namespace

MlxHalfNorms LoadNorms(const HalfNormTensors& tensors, const HalfNorms& norms, mx::Dtype dtype) {
  return {LoadNorm(tensors.input, norms.input, dtype),
          LoadNorm(tensors.branch, norms.branch, dtype),
          LoadNorm(tensors.output, norms.output, dtype)};
}

MlxFeedForward LoadFeedForward(const Layer& layer, const LayerTensors& tensors, mx::Dtype dtype) {
  const FeedForwardTensors& of = tensors.feed_forward[0];
  std::vector<LinearTensors> intermediate;
  if (of.gate) intermediate.push_back(*of.gate);
  intermediate.push_back(of.intermediate);
  return {LoadLinear(tensors.attention_output, dtype),
          LoadNorms(tensors.attention_norms, layer.attention_norms, dtype),
          LoadLinears(intermediate, dtype), LoadLinear(of.output, dtype),
          LoadNorms(tensors.feed_forward_norms, layer.feed_forward_norms, dtype)};
}

std::vector<mx::array> InputsOf(const mx::array& x, const mx::array& context,
                                const MlxFeedForward& weights) {
  std::vector<mx::array> inputs = {x, context};
  const auto add_linear = [&](const MlxLinear& linear) {
    inputs.push_back(linear.weight);
    inputs.push_back(linear.bias);
  };
  const auto add_norm = [&](const std::optional<MlxNorm>& norm) {
    if (!norm) return;
    inputs.push_back(norm->weight);
    if (norm->bias) inputs.push_back(*norm->bias);
  };
  add_linear(weights.attention_output);
  add_norm(weights.attention_norms.branch);
  add_norm(weights.attention_norms.output);
  add_norm(weights.norms.input);
  add_linear(weights.intermediate);
  add_linear(weights.output);
  add_norm(weights.norms.branch);
  add_norm(weights.norms.output);
  return inputs;
}

std::vector<mx::array> RunFeedForward(const Layer& layer, const std::vector<mx::array>& arrays) {
  Inputs inputs(arrays);
  mx::array x = inputs.Next();
  const mx::array context = inputs.Next();
  const mx::array attended =
      inputs.Normalized(inputs.NextLinear()(context), layer.attention_norms.branch);
  x = inputs.Normalized(x + attended, layer.attention_norms.output);
  const mx::array normalised = inputs.Normalized(x, layer.feed_forward_norms.input);
  const mx::array inner = Activated(layer.feed_forward, inputs.NextLinear()(normalised));
  const mx::array branch =
      inputs.Normalized(inputs.NextLinear()(inner), layer.feed_forward_norms.branch);
  return {inputs.Normalized(x + branch, layer.feed_forward_norms.output)};
}

bool HaveSameFeedForward(const Layer& a, const Layer& b) {
  return Equal(a.attention_norms, b.attention_norms) &&
         Equal(a.feed_forward_norms, b.feed_forward_norms) &&
         a.feed_forward.activation == b.feed_forward.activation &&
         a.feed_forward.gated == b.feed_forward.gated;
}

}  // namespace embedding
