#include "backends/cpu/encoder_weights.h"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <initializer_list>
#include <utility>

#include "base/aligned_buffer.h"

namespace embedding {
namespace {

class Packer {
 public:
  Packer(ThreadTeam& team, DType weight_type) : team_(team), weight_type_(weight_type) {}

  // One product for several Linears of the same input, their outputs side by side.
  Result<std::unique_ptr<Linear>> Pack(std::initializer_list<const LinearTensors*> side_by_side,
                                       DType output, Activation activation) {
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
    return PackLinear(team_, {weight_type_, output},
                      {weight_.span(), bias_.span(), in_features, out_features}, activation);
  }

 private:
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

Result<LayerWeights> PackLayer(Packer& packer, const Layer& layer, const LayerTensors& tensors,
                               DType between) {
  constexpr Activation kNone = Activation::kIdentity;
  ASSIGN_OR_RETURN(auto qkv,
                   packer.Pack({&tensors.query, &tensors.key, &tensors.value}, between, kNone));
  ASSIGN_OR_RETURN(auto attention_output,
                   packer.Pack({&tensors.attention_output}, DType::kF32, kNone));
  ASSIGN_OR_RETURN(auto intermediate,
                   packer.Pack({&tensors.intermediate}, between, layer.feed_forward.activation));
  ASSIGN_OR_RETURN(auto output, packer.Pack({&tensors.output}, DType::kF32, kNone));
  return LayerWeights{std::move(qkv),
                      std::move(attention_output),
                      {tensors.attention_norm, layer.attention_norm},
                      std::move(intermediate),
                      std::move(output),
                      {tensors.output_norm, layer.output_norm}};
}

}  // namespace

Result<EncoderWeights> PackEncoderWeights(const Encoder& encoder, const EncoderTensors& tensors,
                                          EncoderTypes types, ThreadTeam& team) {
  Packer packer(team, types.weight);
  EncoderWeights weights{tensors.word_embeddings,
                         tensors.position_embeddings,
                         tensors.token_type_embeddings,
                         {tensors.embeddings_norm, encoder.embeddings_norm},
                         {}};
  weights.layers.reserve(encoder.layers.size());
  for (size_t i = 0; i < encoder.layers.size(); ++i) {
    ASSIGN_OR_RETURN(LayerWeights layer,
                     PackLayer(packer, encoder.layers[i], tensors.layers[i], types.between));
    weights.layers.push_back(std::move(layer));
  }
  return weights;
}

}  // namespace embedding
