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
  Packer(ThreadTeam& team, bool f16_weight) : team_(team), f16_weight_(f16_weight) {}

  // One product for several Linears of the same input, their outputs side by side.
  template <typename In, typename Out>
  Result<std::unique_ptr<Linear<In, Out>>> Pack(
      std::initializer_list<const LinearTensors*> side_by_side, Activation activation) {
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
      if (f16_weight_) RETURN_IF_ERROR(CheckF16Range(linear->name, weight));
      first += linear->out_features();
    }
    return PackLinear<In, Out>(team_, {weight_.span(), bias_.span(), in_features, out_features},
                               activation, f16_weight_);
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
  const bool f16_weight_;
  // One product's parameters in f32 at a time, in the same memory: freed blocks between the packed
  // weights, which stay, would never go back to the system.
  AlignedBuffer<float> weight_;
  AlignedBuffer<float> bias_;
};

template <typename In, typename T>
Result<EncoderLayerWeights<In, T>> PackLayer(Packer& packer, const Layer& layer,
                                             const LayerTensors& tensors) {
  using Inner = std::unique_ptr<Linear<In, T>>;
  using Outer = std::unique_ptr<Linear<In, float>>;
  constexpr Activation kNone = Activation::kIdentity;
  ASSIGN_OR_RETURN(Inner qkv,
                   packer.Pack<In, T>({&tensors.query, &tensors.key, &tensors.value}, kNone));
  ASSIGN_OR_RETURN(Outer attention_output,
                   packer.Pack<In, float>({&tensors.attention_output}, kNone));
  ASSIGN_OR_RETURN(Inner intermediate,
                   packer.Pack<In, T>({&tensors.intermediate}, layer.feed_forward.activation));
  ASSIGN_OR_RETURN(Outer output, packer.Pack<In, float>({&tensors.output}, kNone));
  return EncoderLayerWeights<In, T>{std::move(qkv),
                                    std::move(attention_output),
                                    {tensors.attention_norm, layer.attention_norm},
                                    std::move(intermediate),
                                    std::move(output),
                                    {tensors.output_norm, layer.output_norm}};
}

}  // namespace

template <typename In, typename T>
Result<EncoderWeights<In, T>> PackEncoderWeights(const Encoder& encoder,
                                                 const EncoderTensors& tensors, ThreadTeam& team,
                                                 bool f16_weight) {
  using LayerWeights = EncoderLayerWeights<In, T>;
  Packer packer(team, f16_weight);
  EncoderWeights<In, T> weights{tensors.word_embeddings,
                                tensors.position_embeddings,
                                tensors.token_type_embeddings,
                                {tensors.embeddings_norm, encoder.embeddings_norm},
                                {}};
  weights.layers.reserve(encoder.layers.size());
  for (size_t i = 0; i < encoder.layers.size(); ++i) {
    ASSIGN_OR_RETURN(LayerWeights layer,
                     (PackLayer<In, T>(packer, encoder.layers[i], tensors.layers[i])));
    weights.layers.push_back(std::move(layer));
  }
  return weights;
}

template Result<EncoderWeights<float, float>> PackEncoderWeights(const Encoder&,
                                                                 const EncoderTensors&, ThreadTeam&,
                                                                 bool);
template Result<EncoderWeights<BFloat16, BFloat16>> PackEncoderWeights(const Encoder&,
                                                                       const EncoderTensors&,
                                                                       ThreadTeam&, bool);
template Result<EncoderWeights<Int8, float>> PackEncoderWeights(const Encoder&,
                                                                const EncoderTensors&, ThreadTeam&,
                                                                bool);
template Result<EncoderWeights<Int8, BFloat16>> PackEncoderWeights(const Encoder&,
                                                                   const EncoderTensors&,
                                                                   ThreadTeam&, bool);

}  // namespace embedding
