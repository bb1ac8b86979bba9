// A model's architecture, as data: what a backend computes, whatever family it came from. The
// families are rows of model/families.h; no backend knows their names.
//
// Shapes: a batch's tokens stand in rows, [tokens, hidden_size].
#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <vector>

#include "model/heads.h"

namespace embedding {

// Rotary position embeddings (Su et al. 2021, "RoFormer"): of a head's numbers the first
// 2 * frequencies.size() are taken in pairs, and pair i of the token at position p is turned by the
// angle p * frequencies[i]. Whatever scales them (NTK, YaRN, Llama 3's) is in the frequencies.
struct Rope {
  std::vector<float> frequencies;  // radians from a position to the next
  bool interleaved = false;        // pair i is numbers 2i and 2i + 1; else i and i + their half
  float factor = 1;                // of the sines and cosines: YaRN's

  size_t rotated() const { return 2 * frequencies.size(); }
  bool operator==(const Rope&) const = default;
};

// Self-attention: softmax(scale * q k^T) v for each head, of each token over those of its sequence
// that it sees.
struct Attention {
  size_t heads = 0;
  size_t kv_heads = 0;  // divides heads: neighbouring heads share their keys and values
  size_t head_dim = 0;
  float scale = 0;  // of the scores; 1 / sqrt(head_dim) in most families
  bool qkv_bias = true;
  bool output_bias = true;
  bool causal = false;           // a token sees none that comes after it
  std::optional<size_t> window;  // how far away, in tokens, is the farthest that it sees; none: all
  // Of a head's numbers, [head_dim], before they are rotated.
  std::optional<Norm> query_norm;
  std::optional<Norm> key_norm;
  std::optional<Norm> value_norm;  // which is not weighted
  std::optional<Rope> rope;

  // Of q: [tokens, width]; of k and of v: [tokens, kv_width].
  size_t width() const { return heads * head_dim; }
  size_t kv_width() const { return kv_heads * head_dim; }
  size_t qkv_width() const { return width() + 2 * kv_width(); }
};

// A mixture of feed-forwards: of the softmax over a router's logits, router(x), [experts], the
// `chosen` largest weigh the outputs of their experts, which have no biases of their own; a bias is
// added to the sum.
struct Experts {
  size_t count = 0;
  size_t chosen = 0;
};

// activation(x W1 + b1) W2 + b2, with `width` numbers between the two; gated:
// (activation(x Wg + bg) * (x W1 + b1)) W2 + b2.
struct FeedForward {
  size_t width = 0;
  Activation activation = Activation::kGelu;
  bool gated = false;
  bool intermediate_bias = true;
  bool output_bias = true;
  std::optional<Experts> experts;
};

// Where a layer's halves are normalised: x becomes output(x + branch(half(input(x)))), of which
// families have one (post-norm: output; pre-norm: input) or two (sandwich: input and branch).
struct HalfNorms {
  std::optional<Norm> input;
  std::optional<Norm> branch;
  std::optional<Norm> output;
};

struct Layer {
  Attention attention;
  HalfNorms attention_norms;
  FeedForward feed_forward;
  HalfNorms feed_forward_norms;
  size_t weights = 0;  // which of EncoderTensors::layers are its own: ALBERT's layers share them
  bool scales_output = false;  // x is multiplied by a number of the layer's at its end
};

// What EmbeddingGemma 2 adds at the end of each layer, `size` numbers wide: x becomes
// x + branch_norm((activation(x Wg^T) * p) Wo^T), where p = norm(scale * x_0 Wp^T), and x_0 is what
// the layers are given first.
struct LayerInputs {
  size_t size = 0;
  float scale = 1;
  Activation activation = Activation::kGelu;
  Norm norm;
  Norm branch_norm;
};

// Additions of low rank to the weights (Hu et al. 2021, "LoRA"), of which each text has one or
// none: with number i, a Linear gives x W^T + b + scale * (x A_i^T) B_i^T, and row r of a table is
// W[r] + scale * A_i[r] B_i. Of the layers' Linears and the embeddings' tables those that have
// them.
struct Adapters {
  size_t count = 0;
  size_t rank = 0;
  float scale = 1;
};

// Which row of the table of position embeddings is added to a token.
struct Positions {
  size_t count = 0;  // rows of the table; 0: there is none
  size_t first = 0;  // that of a sequence's first token
  // Tokens of this id, which a text may contain, have the row of that number and are not counted
  // (create_position_ids_from_input_ids of transformers); none: every token is counted.
  std::optional<int32_t> uncounted_id;
};

// A number for each head that is added to a score by how far the key is from the query, after
// scaling: T5's buckets (Raffel et al. 2020), half of them for keys behind, half for those ahead;
// in each half every distance below a quarter of all has its own, farther ones share by logarithm,
// and those of `max_distance` and more have the last. One table for all layers.
struct RelativeBias {
  size_t buckets = 0;
  size_t max_distance = 0;
};

// DeBERTa's disentangled attention (He et al. 2021): a score is scale * (q_i k_j + q_i kr_d +
// k_j qr_d), where kr and qr are the keys and queries of the embeddings of relative positions,
// [2 * span, hidden_size], made by the layer's projections of keys and queries or by ones of their
// own, and d = clamp(bucket(i - j) + span, 0, 2 * span - 1); distances beyond half the `buckets`
// share by logarithm up to `max_distance`, unless `buckets` is 0.
struct Disentangled {
  size_t span = 0;
  size_t buckets = 0;
  size_t max_distance = 0;
  bool content_to_position = true;
  bool position_to_content = true;
  bool own_projections = false;
  std::optional<Norm> norm;  // of the relative positions' embeddings
};

// A convolution over the tokens of a sequence, with zeros beyond its ends, beside the first layer:
// what that gives, x, becomes norm(x + activation(y)), where y_t = b + sum_j W_j x_0[t + j -
// (kernel - 1) / 2], and x_0 is what it is given.
struct Convolution {
  size_t kernel = 0;  // tokens, odd
  size_t groups = 1;  // divides hidden_size: a number is made of those of its own group
  Activation activation = Activation::kTanh;
  Norm norm;
};

// x = projected_norm(projection(embeddings_norm(embedding_scale * word + token type + position))),
// of which there is what the fields have; the layers upon it; final_norm.
struct Encoder {
  size_t hidden_size = 0;
  size_t vocab_size = 0;
  size_t embedding_size =
      0;  // of the tables' rows; where it is not hidden_size, they are projected
  float embedding_scale = 1;
  Positions positions;
  size_t token_types = 0;  // 0: there is no table of them
  size_t task_types = 0;   // the same; a token's type has the first one's row beside it
  std::optional<Norm> embeddings_norm;  // of embedding_size
  bool projection_bias = true;
  std::optional<Norm> projected_norm;  // of hidden_size, where there is a projection
  std::vector<Layer> layers;           // none in a model of static embeddings
  std::optional<Norm> final_norm;
  std::optional<RelativeBias> relative_bias;
  std::optional<Disentangled> disentangled;
  std::optional<LayerInputs> layer_inputs;
  std::optional<Convolution> convolution;
  std::optional<Adapters> adapters;
  // Of a sequence: what comes after them has no positions.
  size_t max_tokens = 0;
};

// Encoder::max_tokens of one whose positions have no end. It bounds what sizes are made of.
inline constexpr size_t kUnlimitedTokens = size_t{1} << 24;

struct Architecture {
  Encoder encoder;
  Heads heads;
};

}  // namespace embedding
