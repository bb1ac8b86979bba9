#include "backends/mlx/mlx_feed_forward.h"

#include <mlx/mlx.h>

#include <utility>

namespace embedding {

namespace mx = mlx::core;

namespace {

// each(array), for all that ArraysOf has.
template <typename Weights, typename Each>
void ForEachArray(Weights& weights, const Each& each) {
  const auto linear = [&](auto& of) {
    each(of.weight);
    each(of.bias);
  };
  const auto norm = [&](auto& of) {
    if (of.weight) each(*of.weight);
    if (of.bias) each(*of.bias);
  };
  const auto norms = [&](auto& of) {
    if (of.input) norm(*of.input);
    if (of.branch) norm(*of.branch);
    if (of.output) norm(*of.output);
  };
  linear(weights.attention_output.linear);
  norms(weights.attention_norms);
  if (weights.intermediate) linear(weights.intermediate->linear);
  if (weights.output) linear(weights.output->linear);
  if (weights.experts) {
    each(weights.experts->router);
    each(weights.experts->intermediate);
    each(weights.experts->output);
    if (weights.experts->bias) each(*weights.experts->bias);
  }
  norms(weights.norms);
  if (weights.inputs) {
    linear(weights.inputs->input);
    linear(weights.inputs->gate);
    linear(weights.inputs->output);
    norm(weights.inputs->norm);
    norm(weights.inputs->branch_norm);
  }
  if (weights.output_scale) each(*weights.output_scale);
}

// x, or norm(x) where there is one.
mx::array Normalized(const mx::array& x, const std::optional<MlxNorm>& norm) {
  return norm ? (*norm)(x) : x;
}

bool Equal(const std::optional<Norm>& a, const std::optional<Norm>& b) {
  return a.has_value() == b.has_value() &&
         (!a || (a->kind == b->kind && a->eps == b->eps && a->has_bias() == b->has_bias() &&
                 a->weighted == b->weighted));
}

bool Equal(const HalfNorms& a, const HalfNorms& b) {
  return Equal(a.input, b.input) && Equal(a.branch, b.branch) && Equal(a.output, b.output);
}

bool Equal(const std::optional<Experts>& a, const std::optional<Experts>& b) {
  return a.has_value() == b.has_value() && (!a || (a->count == b->count && a->chosen == b->chosen));
}

}  // namespace

mx::array MlxAdaptedLinear::Run(const mx::array& x, const MlxAdaptedRows* rows) const {
  const mx::array y = linear(x);
  return adapters && rows != nullptr ? AddAdapters(*adapters, *rows, x, y) : y;
}

MlxAdaptedLinear LoadAdaptedLinears(std::span<const LinearTensors> tensors, mx::Dtype dtype) {
  return {LoadLinears(tensors, dtype), LoadAdapters(tensors, dtype)};
}

MlxHalfNorms LoadNorms(const HalfNormTensors& tensors, const HalfNorms& norms, mx::Dtype dtype) {
  return {LoadNorm(tensors.input, norms.input, dtype),
          LoadNorm(tensors.branch, norms.branch, dtype),
          LoadNorm(tensors.output, norms.output, dtype)};
}

MlxFeedForward LoadFeedForward(const Layer& layer, const Encoder& encoder,
                               const LayerTensors& tensors, mx::Dtype dtype) {
  MlxFeedForward made = {LoadAdaptedLinears({&tensors.attention_output, 1}, dtype),
                         LoadNorms(tensors.attention_norms, layer.attention_norms, dtype),
                         {},
                         {},
                         {},
                         LoadNorms(tensors.feed_forward_norms, layer.feed_forward_norms, dtype),
                         {},
                         {}};
  if (layer.feed_forward.experts) {
    made.experts = LoadExperts(tensors, dtype);
  } else {
    const FeedForwardTensors& of = tensors.feed_forward[0];
    std::vector<LinearTensors> intermediate;
    if (of.gate) intermediate.push_back(*of.gate);
    intermediate.push_back(of.intermediate);
    made.intermediate = LoadAdaptedLinears(intermediate, dtype);
    made.output = LoadAdaptedLinears({&of.output, 1}, dtype);
  }
  if (encoder.layer_inputs) {
    const LayerInputTensors& inputs = *tensors.inputs;
    made.inputs = MlxLayerInputs{
        LoadLinear(inputs.input, dtype), LoadLinear(inputs.gate, dtype),
        LoadLinear(inputs.output, dtype), LoadNorm(inputs.norm, encoder.layer_inputs->norm, dtype),
        LoadNorm(inputs.branch_norm, encoder.layer_inputs->branch_norm, dtype)};
  }
  if (tensors.output_scale) made.output_scale = ToArray(*tensors.output_scale, dtype);
  return made;
}

mx::array Activated(const FeedForward& feed_forward, const mx::array& x) {
  if (!feed_forward.gated) return Activate(feed_forward.activation, x);
  const std::vector<mx::array> halves = mx::split(x, 2, -1);
  return Activate(feed_forward.activation, halves[0]) * halves[1];
}

mx::array RunFeedForward(const Encoder& encoder, const Layer& layer, const MlxFeedForward& weights,
                         const mx::array& before, const mx::array& context, const mx::array& first,
                         const MlxAdaptedRows* adapted) {
  mx::array x = before + Normalized(weights.attention_output.Run(context, adapted),
                                    weights.attention_norms.branch);
  x = Normalized(x, weights.attention_norms.output);
  const mx::array given = Normalized(x, weights.norms.input);
  const mx::array branch =
      weights.experts
          ? RunExperts(layer.feed_forward, *weights.experts, given)
          : weights.output->Run(
                Activated(layer.feed_forward, weights.intermediate->Run(given, adapted)), adapted);
  x = Normalized(x + Normalized(branch, weights.norms.branch), weights.norms.output);
  if (weights.inputs) {
    const MlxLayerInputs& inputs = *weights.inputs;
    const mx::array scale(encoder.layer_inputs->scale, x.dtype());
    const mx::array part = inputs.norm(scale * inputs.input(first));
    const mx::array gate = Activate(encoder.layer_inputs->activation, inputs.gate(x));
    x = x + inputs.branch_norm(inputs.output(gate * part));
  }
  return weights.output_scale ? x * *weights.output_scale : x;
}

std::vector<mx::array> ArraysOf(const MlxFeedForward& weights) {
  std::vector<mx::array> arrays;
  ForEachArray(weights, [&](const mx::array& array) { arrays.push_back(array); });
  return arrays;
}

MlxFeedForward WithArrays(const MlxFeedForward& these, std::span<const mx::array> arrays) {
  MlxFeedForward weights = these;
  size_t next = 0;
  ForEachArray(weights, [&](mx::array& array) { array = arrays[next++]; });
  return weights;
}

bool HaveSameFeedForward(const Layer& a, const Layer& b) {
  return Equal(a.attention_norms, b.attention_norms) &&
         Equal(a.feed_forward_norms, b.feed_forward_norms) &&
         Equal(a.feed_forward.experts, b.feed_forward.experts) &&
         a.feed_forward.activation == b.feed_forward.activation &&
         a.feed_forward.gated == b.feed_forward.gated &&
         a.feed_forward.output_bias == b.feed_forward.output_bias &&
         a.scales_output == b.scales_output;
}

}  // namespace embedding
