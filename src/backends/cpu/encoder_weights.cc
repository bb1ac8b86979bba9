#include "backends/cpu/encoder_weights.h"

#include <fmt/format.h>

#include <array>
#include <cmath>
#include <initializer_list>
#include <string>
#include <string_view>
#include <utility>

namespace embedding {
namespace {

using Shape = std::vector<int64_t>;

int64_t Dim(size_t n) { return static_cast<int64_t>(n); }

// Finds tensors below a prefix: "" in a bare encoder's file, "bert." or "roberta." where the
// checkpoint has a head on top.
class Reader {
 public:
  Reader(const EncoderConfig& config, const TensorStore& store, ThreadTeam& team, bool f16_weight)
      : team_(team), config_(config), store_(store), f16_weight_(f16_weight) {
    for (const std::string_view prefix : {"", "bert.", "roberta."}) {
      if (store.Find(fmt::format("{}embeddings.word_embeddings.weight", prefix)) != nullptr) {
        prefix_ = prefix;
        break;
      }
    }
  }

  Result<TensorView> Table(std::string_view name, size_t rows) const {
    return Require(fmt::format("embeddings.{}.weight", name), {rows, config_.hidden_size});
  }

  Result<LayerNormParameters> LayerNorm(std::string_view name) const {
    // Checkpoints converted from TensorFlow call the two gamma and beta.
    const bool old_names = store_.Find(fmt::format("{}{}.gamma", prefix_, name)) != nullptr;
    LayerNormParameters parameters;
    parameters.eps = config_.layer_norm_eps;
    RETURN_IF_ERROR(
        CopyVector(fmt::format("{}.{}", name, old_names ? "gamma" : "weight"), parameters.gamma));
    RETURN_IF_ERROR(
        CopyVector(fmt::format("{}.{}", name, old_names ? "beta" : "bias"), parameters.beta));
    return parameters;
  }

  // One product for several Linears of the same input, their outputs side by side.
  template <typename In, typename Out>
  Result<std::unique_ptr<MatMul<In, Out>>> Linear(const std::string& layer,
                                                  std::initializer_list<const char*> names,
                                                  size_t in_features, size_t out_features,
                                                  Activation activation) {
    weight_.Resize(names.size() * out_features * in_features);
    bias_.Resize(names.size() * out_features);
    size_t i = 0;
    for (const char* name : names) {
      ASSIGN_OR_RETURN(const TensorView w, Require(fmt::format("{}.{}.weight", layer, name),
                                                   {out_features, in_features}));
      ASSIGN_OR_RETURN(const TensorView b,
                       Require(fmt::format("{}.{}.bias", layer, name), {out_features}));
      CopyToF32(w,
                weight_.span().subspan(i * out_features * in_features, out_features * in_features));
      CopyToF32(b, bias_.span().subspan(i * out_features, out_features));
      ++i;
    }
    if (f16_weight_) RETURN_IF_ERROR(CheckF16Range(layer));
    return PackMatMul<In, Out>(
        team_, {weight_.span(), bias_.span(), in_features, names.size() * out_features}, activation,
        f16_weight_);
  }

 private:
  Result<TensorView> Require(const std::string& name, std::initializer_list<size_t> shape) const {
    Shape expected;
    for (const size_t n : shape) expected.push_back(Dim(n));
    return store_.Require(fmt::format("{}{}", prefix_, name), expected);
  }

  Status CopyVector(const std::string& name, AlignedBuffer<float>& out) const {
    ASSIGN_OR_RETURN(const TensorView tensor, Require(name, {config_.hidden_size}));
    out.Resize(config_.hidden_size);
    CopyToF32(tensor, out.span());
    return {};
  }

  Status CheckF16Range(const std::string& layer) const {
    constexpr float kLargestF16 = 65504;
    for (const float w : weight_.span()) {
      if (std::abs(w) > kLargestF16) {
        return Error{ErrorCode::kModelLoad,
                     fmt::format("{}{} has the weight {}, too large for f16; choose the dtype f32",
                                 prefix_, layer, w),
                     {}};
      }
    }
    return {};
  }

  ThreadTeam& team_;
  const EncoderConfig& config_;
  const TensorStore& store_;
  const bool f16_weight_;
  std::string_view prefix_;
  // One product's parameters in f32 at a time, in the same memory: freed blocks between the packed
  // weights, which stay, would never go back to the system.
  AlignedBuffer<float> weight_;
  AlignedBuffer<float> bias_;
};

template <typename In, typename T>
Result<EncoderLayerWeights<In, T>> LoadLayer(Reader& reader, const EncoderConfig& config,
                                             size_t i) {
  using Inner = std::unique_ptr<MatMul<In, T>>;
  using Outer = std::unique_ptr<MatMul<In, float>>;
  const std::string layer = fmt::format("encoder.layer.{}", i);
  const size_t hidden = config.hidden_size;
  const size_t wide = config.intermediate_size;
  ASSIGN_OR_RETURN(
      Inner qkv, reader.Linear<In, T>(layer + ".attention.self", {"query", "key", "value"}, hidden,
                                      hidden, Activation::kIdentity));
  ASSIGN_OR_RETURN(Outer attention_output,
                   reader.Linear<In, float>(layer + ".attention.output", {"dense"}, hidden, hidden,
                                            Activation::kIdentity));
  ASSIGN_OR_RETURN(LayerNormParameters attention_norm,
                   reader.LayerNorm(layer + ".attention.output.LayerNorm"));
  ASSIGN_OR_RETURN(Inner intermediate, reader.Linear<In, T>(layer + ".intermediate", {"dense"},
                                                            hidden, wide, config.activation));
  ASSIGN_OR_RETURN(Outer output, reader.Linear<In, float>(layer + ".output", {"dense"}, wide,
                                                          hidden, Activation::kIdentity));
  ASSIGN_OR_RETURN(LayerNormParameters output_norm, reader.LayerNorm(layer + ".output.LayerNorm"));
  return EncoderLayerWeights<In, T>{
      std::move(qkv),          std::move(attention_output), std::move(attention_norm),
      std::move(intermediate), std::move(output),           std::move(output_norm)};
}

}  // namespace

template <typename In, typename T>
Result<EncoderWeights<In, T>> LoadEncoderWeights(const EncoderConfig& config,
                                                 const TensorStore& store, ThreadTeam& team,
                                                 bool f16_weight) {
  using Layer = EncoderLayerWeights<In, T>;
  Reader reader(config, store, team, f16_weight);
  EncoderWeights<In, T> weights;
  ASSIGN_OR_RETURN(weights.word_embeddings, reader.Table("word_embeddings", config.vocab_size));
  ASSIGN_OR_RETURN(weights.position_embeddings,
                   reader.Table("position_embeddings", config.max_position_embeddings));
  ASSIGN_OR_RETURN(weights.token_type_embeddings,
                   reader.Table("token_type_embeddings", config.type_vocab_size));
  ASSIGN_OR_RETURN(weights.embeddings_norm, reader.LayerNorm("embeddings.LayerNorm"));
  weights.layers.reserve(config.num_hidden_layers);
  for (size_t i = 0; i < config.num_hidden_layers; ++i) {
    ASSIGN_OR_RETURN(Layer layer, LoadLayer<In, T>(reader, config, i));
    weights.layers.push_back(std::move(layer));
  }
  return weights;
}

template Result<EncoderWeights<float, float>> LoadEncoderWeights(const EncoderConfig&,
                                                                 const TensorStore&, ThreadTeam&,
                                                                 bool);
template Result<EncoderWeights<BFloat16, BFloat16>> LoadEncoderWeights(const EncoderConfig&,
                                                                       const TensorStore&,
                                                                       ThreadTeam&, bool);
template Result<EncoderWeights<Int8, float>> LoadEncoderWeights(const EncoderConfig&,
                                                                const TensorStore&, ThreadTeam&,
                                                                bool);
template Result<EncoderWeights<Int8, BFloat16>> LoadEncoderWeights(const EncoderConfig&,
                                                                   const TensorStore&, ThreadTeam&,
                                                                   bool);

}  // namespace embedding
