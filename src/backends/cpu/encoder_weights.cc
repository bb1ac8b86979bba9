#include "backends/cpu/encoder_weights.h"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <initializer_list>
#include <utility>

#include "backends/adapted_models.h"
#include "base/aligned_buffer.h"

namespace embedding {
namespace {

class Packer {
 public:
  Packer(ThreadTeam& team, DType weight_type) : team_(team), weight_type_(weight_type) {}

  // One product for several Linears of the same input, their outputs side by side.
  Result<std::unique_ptr<Linear>> Pack(std::initializer_list<const LinearTensors*> side_by_side,
                                       DType output,
                                       Activation activation = Activation::kIdentity) {
    ASSIGN_OR_RETURN(const LinearWeights weights, Gather(side_by_side));
    return PackLinear(team_, {weight_type_, output}, weights, activation);
  }

  // PackGatedLinear's.
  Result<std::unique_ptr<Linear>> PackGated(const LinearTensors& gate, const LinearTensors& gated,
                                            DType output, Activation activation) {
    ASSIGN_OR_RETURN(const LinearWeights weights, Gather({&gate, &gated}));
    return PackGatedLinear(team_, {weight_type_, output}, weights, activation);
  }

  // Of f32, whatever the others are.
  std::unique_ptr<Linear> PackF32(const LinearTensors& linear) {
    AlignedBuffer<float> weight(linear.weight.elements());
    CopyToF32(linear.weight, weight.span());
    AlignedBuffer<float> bias(linear.bias ? linear.bias->elements() : 0);
    if (linear.bias) CopyToF32(*linear.bias, bias.span());
    return PackLinear(team_, LinearTypes(),
                      {weight.span(), bias.span(), linear.in_features(), linear.out_features()},
                      Activation::kIdentity);
  }

  // `linear` of rows of f32.
  AlignedBuffer<float> Project(const LinearTensors& linear, std::span<const float> rows) {
    const size_t count = rows.size() / linear.in_features();
    AlignedBuffer<float> output(count * linear.out_features());
    PackF32(linear)->Run({rows.data(), count, linear.in_features()},
                         {output.data(), count, linear.out_features()}, {});
    return output;
  }

 private:
  // The weights of several Linears one below the other; valid until the next.
  Result<LinearWeights> Gather(std::initializer_list<const LinearTensors*> side_by_side) {
    const size_t in_features = (*side_by_side.begin())->in_features();
    size_t out_features = 0;
    for (const LinearTensors* linear : side_by_side) out_features += linear->out_features();
    weight_.Resize(out_features * in_features);
    bias_.Resize(out_features);
    size_t first = 0;
    for (const LinearTensors* linear : side_by_side) {
      const std::span<float> weight =
          weight_.span().subspan(first * in_features, linear->out_features() * in_features);
      CopyToF32(linear->weight, weight);
      const std::span<float> bias = bias_.span().subspan(first, linear->out_features());
      if (linear->bias) {
        CopyToF32(*linear->bias, bias);
      } else {
        std::fill(bias.begin(), bias.end(), 0.0F);
      }
      if (weight_type_ == DType::kF16) RETURN_IF_ERROR(CheckF16Range(linear->name, weight));
      first += linear->out_features();
    }
    return LinearWeights{weight_.span(), bias_.span(), in_features, out_features};
  }

  static Status CheckF16Range(const std::string& name, std::span<const float> weight) {
    constexpr float kLargestF16 = 65504;
    for (const float w : weight) {
      if (std::abs(w) > kLargestF16) {
        return Error{
            ErrorCode::kModelLoad,
            fmt::format("{} has the weight {}, too large for f16; choose the dtype f32", name, w),
            {}};
      }
    }
    return {};
  }

  ThreadTeam& team_;
  const DType weight_type_;
  // One product's parameters in f32 at a time, in the same memory: freed blocks between the packed
  // weights, which stay, would never go back to the system.
  AlignedBuffer<float> weight_;
  AlignedBuffer<float> bias_;
};

std::optional<NormParameters> MakeNorm(const std::optional<NormTensors>& tensors,
                                       const std::optional<Norm>& norm) {
  if (!norm) return std::nullopt;
  return NormParameters(*tensors, *norm);
}

HalfNormWeights MakeNorms(const HalfNormTensors& tensors, const HalfNorms& norms) {
  return {MakeNorm(tensors.input, norms.input), MakeNorm(tensors.branch, norms.branch),
          MakeNorm(tensors.output, norms.output)};
}

std::optional<LinearAdapters> MakeAdapters(const LinearTensors& tensors,
                                           const std::optional<Adapters>& adapters) {
  if (!adapters || !tensors.adapters) return std::nullopt;
  return LinearAdapters(*tensors.adapters, *adapters);
}

LayerAdapters MakeAdapters(const LayerTensors& tensors, const std::optional<Adapters>& adapters) {
  LayerAdapters made;
  made.query = MakeAdapters(tensors.query, adapters);
  made.key = MakeAdapters(tensors.key, adapters);
  made.value = MakeAdapters(tensors.value, adapters);
  made.attention_output = MakeAdapters(tensors.attention_output, adapters);
  if (const auto& gate = tensors.feed_forward[0].gate) made.gate = MakeAdapters(*gate, adapters);
  made.intermediate = MakeAdapters(tensors.feed_forward[0].intermediate, adapters);
  made.output = MakeAdapters(tensors.feed_forward[0].output, adapters);
  return made;
}

Result<LayerInputWeights> PackLayerInputs(Packer& packer, const LayerInputs& inputs,
                                          const LayerInputTensors& tensors) {
  LayerInputWeights weights = {
      .input = {}, .gate = {}, .output = {}, .norm = NormParameters(tensors.norm, inputs.norm)};
  ASSIGN_OR_RETURN(weights.input, packer.Pack({&tensors.input}, DType::kF32));
  ASSIGN_OR_RETURN(weights.gate, packer.Pack({&tensors.gate}, DType::kF32, inputs.activation));
  ASSIGN_OR_RETURN(weights.output, packer.Pack({&tensors.output}, DType::kF32));
  return weights;
}

Result<FeedForwardWeights> PackFeedForward(Packer& packer, const FeedForward& feed_forward,
                                           const FeedForwardTensors& tensors, bool is_adapted,
                                           DType between) {
  FeedForwardWeights weights;
  if (is_adapted && feed_forward.gated) {
    ASSIGN_OR_RETURN(weights.intermediate,
                     packer.Pack({&*tensors.gate, &tensors.intermediate}, DType::kF32));
  } else if (is_adapted) {
    ASSIGN_OR_RETURN(weights.intermediate, packer.Pack({&tensors.intermediate}, between));
  } else if (feed_forward.gated) {
    ASSIGN_OR_RETURN(weights.intermediate, packer.PackGated(*tensors.gate, tensors.intermediate,
                                                            between, feed_forward.activation));
  } else {
    ASSIGN_OR_RETURN(weights.intermediate,
                     packer.Pack({&tensors.intermediate}, between, feed_forward.activation));
  }
  ASSIGN_OR_RETURN(weights.output, packer.Pack({&tensors.output}, DType::kF32));
  return weights;
}

Result<LayerWeights> PackLayer(Packer& packer, const Encoder& encoder, const Layer& layer,
                               const LayerTensors& tensors, DType between) {
  LayerWeights weights;
  ASSIGN_OR_RETURN(weights.qkv,
                   packer.Pack({&tensors.query, &tensors.key, &tensors.value}, between));
  ASSIGN_OR_RETURN(weights.attention_output, packer.Pack({&tensors.attention_output}, DType::kF32));
  weights.query_norm = MakeNorm(tensors.query_norm, layer.attention.query_norm);
  weights.key_norm = MakeNorm(tensors.key_norm, layer.attention.key_norm);
  if (const auto& norm = layer.attention.value_norm) {
    weights.value_norm.emplace(layer.attention.head_dim, *norm);
  }
  weights.attention_norms = MakeNorms(tensors.attention_norms, layer.attention_norms);
  for (const FeedForwardTensors& each : tensors.feed_forward) {
    ASSIGN_OR_RETURN(
        FeedForwardWeights packed,
        PackFeedForward(packer, layer.feed_forward, each, encoder.adapters.has_value(), between));
    weights.feed_forward.push_back(std::move(packed));
  }
  if (tensors.router) weights.router = packer.PackF32(*tensors.router);
  if (tensors.experts_bias) {
    weights.experts_bias.Resize(tensors.experts_bias->elements());
    CopyToF32(*tensors.experts_bias, weights.experts_bias.span());
  }
  weights.feed_forward_norms = MakeNorms(tensors.feed_forward_norms, layer.feed_forward_norms);
  weights.adapters = MakeAdapters(tensors, encoder.adapters);
  if (const auto& inputs = encoder.layer_inputs) {
    ASSIGN_OR_RETURN(weights.inputs, PackLayerInputs(packer, *inputs, *tensors.inputs));
    weights.input_norms.branch.emplace(tensors.inputs->branch_norm, inputs->branch_norm);
  }
  if (tensors.output_scale) CopyToF32(*tensors.output_scale, {&weights.output_scale, 1});
  return weights;
}

// [2 * span, hidden_size], normalised.
AlignedBuffer<float> RelativeEmbeddings(const Disentangled& disentangled,
                                        const EncoderTensors& tensors, size_t hidden_size) {
  AlignedBuffer<float> embeddings(tensors.relative_embeddings->elements());
  CopyToF32(*tensors.relative_embeddings, embeddings.span());
  if (const auto norm = MakeNorm(tensors.relative_norm, disentangled.norm)) {
    for (size_t i = 0; i < embeddings.size(); i += hidden_size) {
      Normalize(*norm, embeddings.data() + i, embeddings.data() + i);
    }
  }
  return embeddings;
}

}  // namespace

Result<EncoderWeights> PackEncoderWeights(const Encoder& encoder, const EncoderTensors& tensors,
                                          EncoderTypes types, ThreadTeam& team) {
  RETURN_IF_ERROR(CheckAdapters(encoder));
  Packer packer(team, types.weight);
  EncoderWeights weights;
  weights.word_embeddings = tensors.word_embeddings;
  weights.position_embeddings = tensors.position_embeddings;
  weights.token_type_embeddings = tensors.token_type_embeddings;
  weights.word_adapters = tensors.word_adapters;
  weights.token_type_adapters = tensors.token_type_adapters;
  weights.embeddings_norm = MakeNorm(tensors.embeddings_norm, encoder.embeddings_norm);
  weights.projected_norm = MakeNorm(tensors.projected_norm, encoder.projected_norm);
  weights.final_norm = MakeNorm(tensors.final_norm, encoder.final_norm);
  if (tensors.projection) {
    ASSIGN_OR_RETURN(weights.projection, packer.Pack({&*tensors.projection}, DType::kF32));
  }
  if (encoder.relative_bias) {
    weights.relative_bias.emplace(*encoder.relative_bias, *tensors.relative_bias,
                                  encoder.layers[0].attention.heads);
  }
  if (const auto& convolution = encoder.convolution) {
    ASSIGN_OR_RETURN(weights.convolution,
                     packer.Pack({&*tensors.convolution}, DType::kF32, convolution->activation));
    weights.convolution_norms.output.emplace(*tensors.convolution_norm, convolution->norm);
  }
  weights.layers.resize(tensors.layers.size());
  AlignedBuffer<float> relative_embeddings;
  if (encoder.disentangled) {
    relative_embeddings = RelativeEmbeddings(*encoder.disentangled, tensors, encoder.hidden_size);
  }
  for (const Layer& layer : encoder.layers) {
    LayerWeights& packed = weights.layers[layer.weights];
    if (packed.qkv) continue;  // another layer's too
    ASSIGN_OR_RETURN(
        packed, PackLayer(packer, encoder, layer, tensors.layers[layer.weights], types.between));
    if (!encoder.disentangled) continue;
    RelativePositions& positions = packed.positions.emplace();
    const auto pack = [&](const LinearTensors& projection) {
      const AlignedBuffer<float> projected = packer.Project(projection, relative_embeddings.span());
      return PackPositions(team, layer.attention, types.between, projected.span());
    };
    const LayerTensors& of = tensors.layers[layer.weights];
    if (encoder.disentangled->content_to_position)
      positions.keys = pack(of.position_key.value_or(of.key));
    if (encoder.disentangled->position_to_content)
      positions.queries = pack(of.position_query.value_or(of.query));
  }
  return weights;
}

}  // namespace embedding
