#include "engine/splade_head.h"

#include <algorithm>
#include <cmath>
#include <cstdint>
#include <string>
#include <utility>

#include "backends/cpu/layer_norm.h"
#include "engine/linear_weights.h"

namespace embedding {
namespace {

// Tokens whose logits exist at a time: 64 x 30,522 floats are 8 MB.
constexpr size_t kTokensAtOnce = 64;

const std::string kPrefix = "cls.predictions.";

}  // namespace

Result<SpladeHead> SpladeHead::Load(const EncoderConfig& config, const TensorStore& weights,
                                    Backend& backend) {
  SpladeHead head;
  head.hidden_size_ = config.hidden_size;
  head.vocab_size_ = config.vocab_size;
  head.layer_norm_eps_ = config.layer_norm_eps;
  const auto hidden = static_cast<int64_t>(config.hidden_size);
  const auto vocab = static_cast<int64_t>(config.vocab_size);
  const int64_t table[] = {vocab, hidden};
  const int64_t row[] = {hidden};
  const int64_t entries[] = {vocab};

  ASSIGN_OR_RETURN(head.transform_,
                   LoadLinear(weights, kPrefix + "transform.dense.", config.hidden_size,
                              config.hidden_size, /*has_bias=*/true, Activation::kGelu, backend));

  ASSIGN_OR_RETURN(const TensorView gamma,
                   weights.Require(kPrefix + "transform.LayerNorm.weight", row));
  ASSIGN_OR_RETURN(const TensorView beta,
                   weights.Require(kPrefix + "transform.LayerNorm.bias", row));
  head.gamma_.resize(config.hidden_size);
  head.beta_.resize(config.hidden_size);
  CopyToF32(gamma, head.gamma_);
  CopyToF32(beta, head.beta_);

  // The decoder's weight is the embedding table, of which files need not have a copy.
  const std::string own = kPrefix + "decoder.weight";
  const bool tied = weights.Find(own) == nullptr;
  ASSIGN_OR_RETURN(const TensorView decoder,
                   weights.Require(tied ? "bert.embeddings.word_embeddings.weight" : own, table));
  ASSIGN_OR_RETURN(const TensorView bias, weights.Require(kPrefix + "bias", entries));
  ASSIGN_OR_RETURN(head.decoder_, backend.MakeLinear(decoder, &bias, Activation::kIdentity));
  return head;
}

std::vector<TokenWeight> SpladeHead::Run(std::span<const float> hidden) {
  const size_t tokens = hidden.size() / hidden_size_;
  // log(1 + relu(x)) grows with x: it is taken of the largest logit alone.
  std::vector<float> largest(vocab_size_, 0.0F);
  for (size_t first = 0; first < tokens; first += kTokensAtOnce) {
    const size_t rows = std::min(kTokensAtOnce, tokens - first);
    transformed_.Resize(rows * hidden_size_);
    logits_.Resize(rows * vocab_size_);
    transform_->Apply(rows, hidden.subspan(first * hidden_size_, rows * hidden_size_),
                      transformed_.span());
    for (size_t r = 0; r < rows; ++r) {
      AddLayerNorm(transformed_.data() + r * hidden_size_, nullptr,
                   {gamma_, beta_, layer_norm_eps_});
    }
    decoder_->Apply(rows, transformed_.span(), logits_.span());
    for (size_t r = 0; r < rows; ++r) {
      const float* logits = logits_.data() + r * vocab_size_;
      for (size_t v = 0; v < vocab_size_; ++v) largest[v] = std::max(largest[v], logits[v]);
    }
  }
  std::vector<TokenWeight> weights;
  for (size_t v = 0; v < vocab_size_; ++v) {
    if (largest[v] > 0) weights.push_back({static_cast<int32_t>(v), std::log1p(largest[v])});
  }
  return weights;
}

}  // namespace embedding
