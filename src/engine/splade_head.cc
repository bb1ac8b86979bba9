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

Result<SpladeHead> SpladeHead::Load(const EncoderConfig& config, const SpladePooling& pooling,
                                    const TensorStore& weights, Backend& backend) {
  SpladeHead head;
  head.pooling_ = pooling;
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
                              config.hidden_size, /*has_bias=*/true, config.activation, backend));

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
  // Both names are one tensor in transformers, of which files have either; the decoder's is used.
  const std::string own_bias = kPrefix + "decoder.bias";
  ASSIGN_OR_RETURN(const TensorView bias,
                   weights.Require(weights.Find(own_bias) ? own_bias : kPrefix + "bias", entries));
  ASSIGN_OR_RETURN(head.decoder_, backend.MakeLinear(decoder, &bias, Activation::kIdentity));
  return head;
}

std::vector<TokenWeight> SpladeHead::Run(std::span<const float> hidden) {
  const size_t tokens = hidden.size() / hidden_size_;
  const auto activate = [this](float logit) {
    const float weight = std::log1p(std::max(logit, 0.0F));
    return pooling_.log_twice ? std::log1p(weight) : weight;
  };
  // Of the largest weight the largest logit: what is done to it grows with it.
  std::vector<float> pooled(vocab_size_, 0.0F);
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
      for (size_t v = 0; v < vocab_size_; ++v) {
        pooled[v] =
            pooling_.sums ? pooled[v] + activate(logits[v]) : std::max(pooled[v], logits[v]);
      }
    }
  }
  std::vector<TokenWeight> weights;
  for (size_t v = 0; v < vocab_size_; ++v) {
    if (!(pooled[v] > 0)) continue;
    weights.push_back({static_cast<int32_t>(v), pooling_.sums ? pooled[v] : activate(pooled[v])});
  }
  const size_t most = pooling_.max_active_dims.value_or(weights.size());
  if (weights.size() <= most) return weights;
  const auto smallest_kept = weights.begin() + static_cast<ptrdiff_t>(most);
  std::nth_element(weights.begin(), smallest_kept, weights.end(),
                   [](const TokenWeight& a, const TokenWeight& b) { return a.weight > b.weight; });
  weights.erase(smallest_kept, weights.end());
  std::sort(weights.begin(), weights.end(),
            [](const TokenWeight& a, const TokenWeight& b) { return a.id < b.id; });
  return weights;
}

}  // namespace embedding
