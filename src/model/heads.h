// What is made of an encoder's last hidden states, as data. h_i is that of a sequence's token i.
#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <variant>
#include <vector>

namespace embedding {

// kGelu is x Phi(x); kGeluTanh what Hendrycks and Gimpel (2016) approximate it by,
// x (1 + tanh(sqrt(2 / pi) (x + 0.044715 x^3))) / 2.
// kSilu is x sigmoid(x).
enum class Activation { kIdentity, kTanh, kRelu, kGelu, kGeluTanh, kSigmoid, kSilu };

enum class NormKind { kLayer, kRms };

// Of a row x,
//   kLayer: (x - mean) / sqrt(variance + eps) * weight + bias; the variance is the biased one, as
//   in
//           torch, and not every family has the bias;
//   kRms:   x / sqrt(mean of x^2 + eps) * weight (Zhang and Sennrich 2019), or * (1 + weight).
struct Norm {
  float eps = 0;
  NormKind kind = NormKind::kLayer;
  bool bias = true;       // of kLayer
  bool plus_one = false;  // of kRms
  bool weighted = true;   // or without weight and bias

  bool has_bias() const { return weighted && kind == NormKind::kLayer && bias; }
};

// Of a sequence of n tokens: h_0, the mean, the largest number of each column, the sum divided by
// sqrt(n), the mean weighted with i + 1, h_(n-1).
enum class Pooling { kCls, kMean, kMax, kMeanSqrtLenTokens, kWeightedMean, kLastToken };

// The modules of sentence-transformers around the pooling. Those with weights have them in
// `directory`, or, where that is empty, in the model's checkpoint (Family::token_projection).
//   Dense      y = activation(W x + b), or activation(W x + b) + R x with `residual`, where R is
//   the
//              identity if x and y have as many numbers
//   LayerNorm  y = norm(x)
//   Normalize  y = x / max(|x|, 1e-12)
struct DenseModule {
  std::string directory = {};
  size_t in_features = 0;
  size_t out_features = 0;
  bool bias = true;
  Activation activation = Activation::kTanh;
  bool residual = false;

  bool projects_residual() const { return residual && in_features != out_features; }
};

struct LayerNormModule {
  std::string directory = {};
  Norm norm = {.eps = 1e-5F};
};

struct NormalizeModule {};

using VectorModule = std::variant<DenseModule, LayerNormModule, NormalizeModule>;

// Numbers of a vector that had so many before the modules.
inline size_t DimensionAfter(const std::vector<VectorModule>& modules, size_t dimension) {
  for (const VectorModule& module : modules) {
    if (const auto* const dense = std::get_if<DenseModule>(&module)) {
      dimension = dense->out_features;
    }
  }
  return dimension;
}

// A vector of a sequence: the token modules of each token, the pooled vectors of the modes side by
// side, then the modules, one after the other.
struct PooledVector {
  std::vector<Pooling> pooling = {Pooling::kMean};  // never empty
  std::vector<VectorModule> modules = {};
  std::vector<VectorModule> token_modules = {};
  // Whether a prompt's tokens are pooled too; else those before Batch::first_pooled are not, and
  // the others keep their numbers.
  bool pools_prompt = true;

  // Numbers of the vector.
  size_t dimension(size_t hidden_size) const {
    return DimensionAfter(modules, pooled_size(hidden_size));
  }
  // Before the modules.
  size_t pooled_size(size_t hidden_size) const {
    return pooling.size() * DimensionAfter(token_modules, hidden_size);
  }
};

// activation(W h_i + b) is the weight of token i, and of an id the largest of its tokens', or none
// where that is 0: bge-m3's sparse head, and, with W = 1 over a table of one number for each token,
// SparseStaticEmbedding. The ids of `unused_ids` have none.
struct TokenWeights {
  Activation activation = Activation::kRelu;
  std::vector<int32_t> unused_ids = {};
  // How many of a text's weights are kept, the largest in size; all if empty.
  std::optional<size_t> max_active_dims = {};
};

// bge-m3's ColBERT head: W h_i + b, divided by its L2 norm, for every token but the first.
struct TokenVectors {};

// SPLADE: the weight of each entry of the vocabulary out of a masked-language head's logits,
//   weight[v] = max over i of log(1 + relu(logit[i, v])), or the sum over i
//   logit     = decoder(norm(activation(transform(h_i))))
// (Formal et al. 2021, "SPLADE v2"; the special tokens count like the others.)
struct Splade {
  bool sums = false;
  bool log_twice = false;  // log(1 + log(1 + relu(logit)))
  // How many of a text's weights are kept, the largest; all if empty.
  std::optional<size_t> max_active_dims = {};
  Activation activation = Activation::kGelu;
  Norm norm = {};
  bool transform_bias = true;
  bool decoder_bias = true;
};

// The logits of a *ForSequenceClassification, a cross-encoder say, out of a pooled vector p, h_0 in
// most families: W2 norm(activation(W1 p + b1)) + b2, of which families have what the fields say.
struct Classifier {
  size_t labels = 0;
  Pooling pooling = Pooling::kCls;
  bool pools_late = false;  // what the norm gives, of each token, is pooled; not what W1 takes
  // kLastToken is the last of another id, or the first if there is none.
  std::optional<int32_t> padding_id = {};
  std::optional<Activation> dense = Activation::kTanh;  // none: neither W1 nor b1
  bool dense_bias = true;
  std::optional<Norm> norm = {};
  bool output_bias = true;
};

// A classifier has no vectors; any other model has a pooled one, and may have others besides, but
// for a table of weights, which has these alone. A
// classifier's logits come from either of the last two.
struct Heads {
  std::optional<PooledVector> pooled = {};
  std::optional<TokenWeights> token_weights = {};  // this or splade
  std::optional<TokenVectors> token_vectors = {};
  std::optional<Splade> splade = {};
  std::optional<Classifier> classifier = {};
  std::optional<PooledVector> scores = {};
};

}  // namespace embedding
