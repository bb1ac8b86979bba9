#include "backends/mlx/mlx_encoder.h"

#include <mlx/mlx.h>

#include <algorithm>
#include <array>
#include <cmath>
#include <iterator>
#include <optional>
#include <utility>
#include <vector>

#include "backends/positions.h"

namespace embedding {

namespace mx = mlx::core;

namespace {

int Int(size_t n) { return static_cast<int>(n); }

bool HaveSameFeedForward(const Layer& a, const Layer& b) {
  return a.attention_norms.output->eps == b.attention_norms.output->eps &&
         a.feed_forward_norms.output->eps == b.feed_forward_norms.output->eps &&
         a.feed_forward.activation == b.feed_forward.activation;
}

// Whether MLX attends without writing the scores to memory: only on GPUs, and there for the sizes
// of heads that its kernels are made for.
bool IsFused(size_t head_dim) {
  constexpr size_t kFused[] = {64, 72, 80, 96, 128, 256};
  return mx::default_device() == mx::Device::gpu &&
         std::find(std::begin(kFused), std::end(kFused), head_dim) != std::end(kFused);
}

// A bucket's [sequences, heads, length, head_dim], and its mask if it has one: their context, of
// the same shape.
mx::array AttendWhole(const mx::array& q, const mx::array& k, const mx::array& v, float scale,
                      const std::optional<mx::array>& mask) {
  return mx::fast::scaled_dot_product_attention(q, k, v, scale, mask ? "array" : "", mask);
}

// The same by parts of the sequences, or, where one is too long, of its queries, so that the scores
// take no more than `score_bytes`. Each part is computed before the next: a graph of all of them
// might hold the scores of all.
mx::array AttendByParts(const mx::array& q, const mx::array& k, const mx::array& v, float scale,
                        const std::optional<mx::array>& mask, size_t score_bytes) {
  const int sequences = q.shape(0);
  const int heads = q.shape(1);
  const int length = q.shape(2);
  const int head_dim = q.shape(3);
  const size_t of_query = static_cast<size_t>(heads) * static_cast<size_t>(length) * q.itemsize();
  const size_t queries = std::max<size_t>(score_bytes / of_query, 1);  // of all sequences together
  const int step = static_cast<int>(std::min<size_t>(queries, static_cast<size_t>(length)));
  const int together = std::max(1, static_cast<int>(queries / static_cast<size_t>(length)));
  std::vector<mx::array> of_sequences;
  for (int s = 0; s < sequences; s += together) {
    const int end = std::min(s + together, sequences);
    const auto part = [&](const mx::array& x) {
      return mx::slice(x, {s, 0, 0, 0}, {end, x.shape(1), x.shape(2), x.shape(3)});
    };
    const mx::array keys = part(k);
    const mx::array values = part(v);
    const std::optional<mx::array> is_token = mask ? std::optional(part(*mask)) : std::nullopt;
    std::vector<mx::array> of_queries;
    for (int i = 0; i < length; i += step) {
      const mx::array some =
          mx::slice(q, {s, 0, i, 0}, {end, heads, std::min(i + step, length), head_dim});
      of_queries.push_back(AttendWhole(some, keys, values, scale, is_token));
      of_queries.back().eval();
    }
    of_sequences.push_back(mx::concatenate(std::move(of_queries), 2));
  }
  return mx::concatenate(std::move(of_sequences), 0);
}

// Of packed qkv [rows, 3 * width] and a bucket's {rows [sequences, length][, mask [sequences, 1, 1,
// length]]}: the context of its tokens, [sequences * length, width].
mx::array AttendBucket(const Attention& attention, const mx::array& packed,
                       std::span<const mx::array> tokens, size_t score_bytes) {
  const mx::array& rows = tokens[0];
  const int sequences = rows.shape(0);
  const int length = rows.shape(1);
  const int heads = Int(attention.heads);
  const int head_dim = Int(attention.head_dim);
  // [3, sequences, heads, length, head_dim]
  const mx::array qkv =
      mx::transpose(mx::reshape(TakeRows(packed, rows), {sequences, length, 3, heads, head_dim}),
                    {2, 0, 3, 1, 4});
  const mx::array q = mx::take(qkv, 0, 0);
  const mx::array k = mx::take(qkv, 1, 0);
  const mx::array v = mx::take(qkv, 2, 0);
  const float scale = 1.0F / std::sqrt(static_cast<float>(head_dim));
  const std::optional<mx::array> mask = tokens.size() > 1 ? std::optional(tokens[1]) : std::nullopt;
  const size_t bytes = rows.size() * attention.heads * static_cast<size_t>(length) * q.itemsize();
  const mx::array context = bytes <= score_bytes || IsFused(attention.head_dim)
                                ? AttendWhole(q, k, v, scale, mask)
                                : AttendByParts(q, k, v, scale, mask, score_bytes);
  return mx::reshape(mx::transpose(context, {0, 2, 1, 3}),
                     {sequences * length, Int(attention.width())});
}

std::vector<mx::array> FeedForwardOf(const Layer& layer, const std::vector<mx::array>& inputs) {
  const mx::array& x = inputs[0];
  const mx::array& context = inputs[1];
  const auto weight = [&](size_t i) -> const mx::array& { return inputs[2 + i]; };
  const MlxLinear attention_output = {weight(0), weight(1)};
  const MlxNorm attention_norm = {weight(2), weight(3), layer.attention_norms.output->eps};
  const MlxLinear intermediate = {weight(4), weight(5)};
  const MlxLinear output = {weight(6), weight(7)};
  const MlxNorm output_norm = {weight(8), weight(9), layer.feed_forward_norms.output->eps};
  const mx::array attended = attention_norm(x + attention_output(context));
  const mx::array inner = Activate(layer.feed_forward.activation, intermediate(attended));
  return {output_norm(attended + output(inner))};
}

// Of each bucket: {rows [sequences, length][, mask [sequences, 1, 1, length]]}, the mask where some
// of its tokens are none.
std::vector<std::vector<mx::array>> TokensOf(const Buckets& buckets) {
  std::vector<std::vector<mx::array>> tokens;
  for (const Bucket& bucket : buckets.buckets) {
    tokens.push_back({ToArray(bucket.rows, {Int(bucket.sequences), Int(bucket.length)})});
    if (!bucket.is_mixed()) continue;
    std::vector<uint8_t> is_token(bucket.rows.size());
    for (size_t s = 0; s < bucket.sequences; ++s) {
      std::fill_n(is_token.begin() + static_cast<ptrdiff_t>(s * bucket.length), bucket.lengths[s],
                  uint8_t{1});
    }
    tokens.back().push_back(
        mx::array(is_token.begin(), {Int(bucket.sequences), 1, 1, Int(bucket.length)}, mx::bool_));
  }
  return tokens;
}

// Row numbers, filled up with the first to one of few sizes.
mx::array FilledUp(std::vector<int32_t> rows) {
  rows.resize(RoundUpFinely(rows.size()), 0);
  return ToArray(rows, {Int(rows.size())});
}

}  // namespace

MlxEncoder::MlxEncoder(const Encoder& encoder, const EncoderTensors& tensors, mx::Dtype dtype,
                       bool compiled, size_t score_bytes)
    : encoder_(encoder),
      score_bytes_(score_bytes),
      word_embeddings_(ToArray(tensors.word_embeddings, dtype)),
      position_embeddings_(ToArray(*tensors.position_embeddings, dtype)),
      token_type_embeddings_(ToArray(*tensors.token_type_embeddings, dtype)),
      embeddings_norm_(LoadNorm(*tensors.embeddings_norm, *encoder.embeddings_norm, dtype)) {
  for (size_t i = 0; i < encoder.layers.size(); ++i) {
    const Layer& layer = encoder.layers[i];
    const LayerTensors& of = tensors.layers[i];
    const std::array<LinearTensors, 3> qkv = {of.query, of.key, of.value};
    layers_.push_back(
        {LoadLinears(qkv, dtype), LoadLinear(of.attention_output, dtype),
         LoadNorm(*of.attention_norms.output, *layer.attention_norms.output, dtype),
         LoadLinear(of.feed_forward[0].intermediate, dtype),
         LoadLinear(of.feed_forward[0].output, dtype),
         LoadNorm(*of.feed_forward_norms.output, *layer.feed_forward_norms.output, dtype)});
    if (i > 0 && HaveSameFeedForward(layer, encoder.layers[i - 1])) {
      feed_forwards_.push_back(feed_forwards_.back());
      continue;
    }
    Function feed_forward = [layer](const Arrays& inputs) { return FeedForwardOf(layer, inputs); };
    if (compiled) feed_forward = mx::compile(std::move(feed_forward));
    feed_forwards_.push_back(std::move(feed_forward));
  }
}

mx::array MlxEncoder::Run(const Batch& batch, std::span<const TokenRange> wanted) {
  const Buckets buckets = MakeBuckets(batch.offsets);
  std::vector<int32_t> kept;
  for (size_t s = 0; s < batch.sequences(); ++s) {
    for (uint32_t i = wanted[s].begin; i < wanted[s].end; ++i) {
      kept.push_back(static_cast<int32_t>(batch.offsets[s] + i));
    }
  }
  // Of each token among the buckets' tokens; in the last layer of each that is wanted.
  const mx::array places = FilledUp(buckets.places);
  const mx::array kept_rows = FilledUp(kept);

  if (batch.tokens() == 0) return mx::zeros({kept_rows.shape(0), Int(encoder_.hidden_size)});
  const std::vector<Arrays> tokens = TokensOf(buckets);
  mx::array x = Embed(batch);
  for (size_t i = 0; i < layers_.size(); ++i) {
    const LayerWeights& layer = layers_[i];
    mx::array context = TakeRows(Attend(i, x, tokens), places);
    if (i + 1 == layers_.size()) {
      context = TakeRows(context, kept_rows);
      x = TakeRows(x, kept_rows);
    }
    x = feed_forwards_[i]({x, context, layer.attention_output.weight, layer.attention_output.bias,
                           layer.attention_norm.weight, layer.attention_norm.bias,
                           layer.intermediate.weight, layer.intermediate.bias, layer.output.weight,
                           layer.output.bias, layer.output_norm.weight, layer.output_norm.bias})[0];
  }
  return x;
}

mx::array MlxEncoder::Embed(const Batch& batch) {
  const auto rows_of = [](const mx::array& table, std::span<const int32_t> indices) {
    return TakeRows(table, FilledUp({indices.begin(), indices.end()}));
  };
  PlaceTokens(encoder_.positions, batch, positions_);
  return embeddings_norm_(rows_of(word_embeddings_, batch.input_ids) +
                          rows_of(token_type_embeddings_, batch.token_type_ids) +
                          rows_of(position_embeddings_, positions_));
}

mx::array MlxEncoder::Attend(size_t layer, const mx::array& x,
                             std::span<const Arrays> tokens) const {
  const mx::array qkv = layers_[layer].qkv(x);
  Arrays contexts;
  for (const Arrays& of_bucket : tokens) {
    contexts.push_back(
        AttendBucket(encoder_.layers[layer].attention, qkv, of_bucket, score_bytes_));
  }
  return mx::concatenate(std::move(contexts), 0);
}

}  // namespace embedding
