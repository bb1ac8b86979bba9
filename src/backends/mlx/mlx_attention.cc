#include "backends/mlx/mlx_attention.h"

#include <mlx/mlx.h>

#include <algorithm>
#include <cmath>
#include <iterator>
#include <limits>

#include "backends/relative_bucket.h"

namespace embedding {

namespace mx = mlx::core;

namespace {

int Int(size_t n) { return static_cast<int>(n); }

// Whether MLX attends without writing the scores to memory: only on GPUs, and there for the sizes
// of heads that its kernels are made for.
bool IsFused(size_t head_dim) {
  constexpr size_t kFused[] = {64, 72, 80, 96, 128, 256};
  return mx::default_device() == mx::Device::gpu &&
         std::find(std::begin(kFused), std::end(kFused), head_dim) != std::end(kFused);
}

// [sequences, heads, length, head_dim] of queries, and of keys and values, whose heads may be
// fewer; a mask, of truth values or to be added, whose dimensions may be 1: the context, of the
// queries' shape.
mx::array AttendWhole(const mx::array& q, const mx::array& k, const mx::array& v, float scale,
                      const std::optional<mx::array>& mask) {
  return mx::fast::scaled_dot_product_attention(q, k, v, scale, mask ? "array" : "", mask);
}

// Of dimension `axis` those from `begin` to `end`, where it is not 1.
mx::array Part(const mx::array& x, int axis, int begin, int end) {
  if (x.shape(axis) == 1) return x;
  mx::Shape first(x.ndim(), 0);
  mx::Shape last = x.shape();
  first[static_cast<size_t>(axis)] = begin;
  last[static_cast<size_t>(axis)] = end;
  return mx::slice(x, first, last);
}

// The same by parts of the sequences, or, where one is too long, of its queries, so that the scores
// take no more than `score_bytes`. Each part is computed before the next: a graph of all of them
// might hold the scores of all.
mx::array AttendByParts(const mx::array& q, const mx::array& k, const mx::array& v, float scale,
                        const std::optional<mx::array>& mask, size_t score_bytes) {
  const int sequences = q.shape(0);
  const int heads = q.shape(1);
  const int length = q.shape(2);
  const size_t of_query = static_cast<size_t>(heads) * static_cast<size_t>(length) * q.itemsize();
  const size_t queries = std::max<size_t>(score_bytes / of_query, 1);  // of all sequences together
  const int step = static_cast<int>(std::min<size_t>(queries, static_cast<size_t>(length)));
  const int together = std::max(1, static_cast<int>(queries / static_cast<size_t>(length)));
  std::vector<mx::array> of_sequences;
  for (int s = 0; s < sequences; s += together) {
    const int end = std::min(s + together, sequences);
    std::vector<mx::array> of_queries;
    for (int i = 0; i < length; i += step) {
      const int last = std::min(i + step, length);
      const auto part = [&](const mx::array& x) { return Part(Part(x, 0, s, end), 2, i, last); };
      of_queries.push_back(
          AttendWhole(mx::slice(q, {s, 0, i, 0}, {end, heads, last, q.shape(3)}),
                      mx::slice(k, {s, 0, 0, 0}, {end, k.shape(1), length, k.shape(3)}),
                      mx::slice(v, {s, 0, 0, 0}, {end, v.shape(1), length, v.shape(3)}), scale,
                      mask ? std::optional(part(*mask)) : std::nullopt));
      of_queries.back().eval();
    }
    of_sequences.push_back(mx::concatenate(std::move(of_queries), 2));
  }
  return mx::concatenate(std::move(of_sequences), 0);
}

// [length, length]: how far a key is ahead of the query.
mx::array Distances(int length) {
  const mx::array places = mx::arange(0, length, mx::int32);
  return mx::reshape(places, {1, length}) - mx::reshape(places, {length, 1});
}

}  // namespace

MlxAttention::MlxAttention(const Encoder& encoder, const EncoderTensors& tensors, mx::Dtype dtype,
                           size_t score_bytes)
    : bias_(encoder.relative_bias),
      disentangled_(encoder.disentangled),
      relative_bias_(tensors.relative_bias ? std::optional(ToArray(*tensors.relative_bias, dtype))
                                           : std::nullopt),
      dtype_(dtype),
      score_bytes_(score_bytes) {}

void MlxAttention::Prepare(const Buckets& buckets) {
  buckets_.clear();
  for (const Bucket& bucket : buckets.buckets) {
    const int sequences = Int(bucket.sequences);
    const int length = Int(bucket.length);
    Tokens tokens = {ToArray(bucket.rows, {sequences, length}), std::nullopt, {}, std::nullopt};
    if (bucket.is_mixed()) {
      std::vector<uint8_t> is_token(bucket.rows.size());
      for (size_t s = 0; s < bucket.sequences; ++s) {
        std::fill_n(is_token.begin() + static_cast<ptrdiff_t>(s * bucket.length), bucket.lengths[s],
                    uint8_t{1});
      }
      tokens.is_token = mx::array(is_token.begin(), {sequences, 1, 1, length}, mx::bool_);
    }
    buckets_.push_back(std::move(tokens));
  }
}

std::optional<mx::array> MlxAttention::MakeMask(const Attention& attention,
                                                const Tokens& tokens) const {
  const int length = tokens.rows.shape(1);
  std::optional<mx::array> seen;  // [sequences or 1, 1, length or 1, length]
  const auto sees = [&](const mx::array& these) {
    const mx::array shaped = mx::reshape(these, {1, 1, length, length});
    seen = seen ? mx::logical_and(*seen, shaped) : shaped;
  };
  const mx::array distances = Distances(length);
  if (attention.causal) sees(distances <= mx::array(0));
  if (attention.window) {
    const auto window = Int(std::min<size_t>(*attention.window, static_cast<size_t>(length)));
    sees(mx::abs(distances) <= mx::array(window));
  }
  // Of what fills up a bucket a query that sees nothing behind itself sees none.
  if (tokens.is_token && !attention.causal) {
    seen = seen ? mx::logical_and(*seen, *tokens.is_token) : *tokens.is_token;
  }
  if (!relative_bias_) return seen;
  std::vector<int32_t> bucket_of;  // by distance, from -(length - 1) on
  for (int d = 1 - length; d < length; ++d) {
    bucket_of.push_back(static_cast<int32_t>(RelativeBucket(*bias_, d)));
  }
  const mx::array by_distance = TakeRows(*relative_bias_, ToArray(bucket_of, {2 * length - 1}));
  const mx::array bias = mx::expand_dims(
      mx::transpose(TakeRows(by_distance, distances + mx::array(length - 1)), {2, 0, 1}), 0);
  if (!seen) return bias;
  const mx::array unseen = mx::astype(mx::array(-std::numeric_limits<float>::infinity()), dtype_);
  return mx::where(*seen, bias, unseen);
}

const std::optional<mx::array>& MlxAttention::MaskOf(const Attention& attention,
                                                     Tokens& tokens) const {
  const Kind kind = {attention.causal, attention.window};
  for (const auto& [known, mask] : tokens.masks) {
    if (known == kind) return mask;
  }
  return tokens.masks.emplace_back(kind, MakeMask(attention, tokens)).second;
}

mx::array MlxAttention::MakePlaces(int length) const {
  std::vector<int32_t> by_distance;  // of a key that is ahead, from -(length - 1) on
  for (int ahead = 1 - length; ahead < length; ++ahead)
    by_distance.push_back(static_cast<int32_t>(RelativePlace(*disentangled_, -ahead)));
  return TakeRows(ToArray(by_distance, {2 * length - 1}),
                  Distances(length) + mx::array(length - 1));
}

mx::array MlxAttention::PositionScores(const Attention& attention,
                                       const MlxHeadPreparation& preparation, const mx::array& q,
                                       const mx::array& k, const mx::array& by_query) const {
  const int length = q.shape(2);
  const auto pick = [&](const mx::array& products, const mx::array& of_pairs) {
    return mx::take_along_axis(
        products, mx::broadcast_to(of_pairs, {q.shape(0), q.shape(1), length, length}), 3);
  };
  mx::array scores = mx::zeros({1, 1, 1, 1}, q.dtype());
  if (preparation.position_keys)
    scores = scores + pick(mx::matmul(q, *preparation.position_keys), by_query);
  if (preparation.position_queries) {
    const mx::array by_key =
        pick(mx::matmul(k, *preparation.position_queries), mx::transpose(by_query));
    scores = scores + mx::swapaxes(by_key, 2, 3);
  }
  return scores * mx::array(attention.scale, q.dtype());
}

mx::array MlxAttention::AttendDisentangled(const Attention& attention,
                                           const MlxHeadPreparation& preparation,
                                           const mx::array& q, const mx::array& k,
                                           const mx::array& v, const mx::array& by_query,
                                           const std::optional<mx::array>& mask) const {
  // What is there at a time of a score: of either kind of products the picked one, their sum, and
  // what the mask makes of it.
  constexpr size_t kNumbersOfScore = 4;
  const auto length = static_cast<size_t>(q.shape(2));
  const size_t of_sequence = kNumbersOfScore * attention.heads * length * length * q.itemsize();
  const int step =
      Int(std::clamp<size_t>(score_bytes_ / of_sequence, 1, static_cast<size_t>(q.shape(0))));
  std::vector<mx::array> contexts;
  for (int s = 0; s < q.shape(0); s += step) {
    const int end = std::min(s + step, q.shape(0));
    const mx::array queries = Part(q, 0, s, end);
    const mx::array keys = Part(k, 0, s, end);
    mx::array scores = PositionScores(attention, preparation, queries, keys, by_query);
    if (mask) {
      const mx::array unseen =
          mx::astype(mx::array(-std::numeric_limits<float>::infinity()), dtype_);
      scores = mx::where(Part(*mask, 0, s, end), scores, unseen);
    }
    contexts.push_back(AttendWhole(queries, keys, Part(v, 0, s, end), attention.scale, scores));
    if (end < q.shape(0)) contexts.back().eval();
  }
  return mx::concatenate(std::move(contexts), 0);
}

mx::array MlxAttention::AttendBucket(const Attention& attention,
                                     const MlxHeadPreparation& preparation, const mx::array& packed,
                                     Tokens& tokens) const {
  const int sequences = tokens.rows.shape(0);
  const int length = tokens.rows.shape(1);
  const int head_dim = Int(attention.head_dim);
  const mx::array qkv = TakeRows(packed, tokens.rows);  // [sequences, length, qkv_width]
  // Of `heads` heads from number `first` on: [sequences, heads, length, head_dim].
  const auto heads_of = [&](size_t first, size_t heads) {
    const mx::array part = mx::slice(qkv, {0, 0, Int(first) * head_dim},
                                     {sequences, length, Int(first + heads) * head_dim});
    return mx::transpose(mx::reshape(part, {sequences, length, Int(heads), head_dim}),
                         {0, 2, 1, 3});
  };
  const mx::array q =
      Prepared(heads_of(0, attention.heads), preparation.query_norm, attention, preparation);
  const mx::array k = Prepared(heads_of(attention.heads, attention.kv_heads), preparation.key_norm,
                               attention, preparation);
  mx::array v = heads_of(attention.heads + attention.kv_heads, attention.kv_heads);
  if (preparation.value_norm) v = (*preparation.value_norm)(v);
  const std::optional<mx::array>& mask = MaskOf(attention, tokens);
  const size_t bytes =
      tokens.rows.size() * attention.heads * static_cast<size_t>(length) * q.itemsize();
  const auto attend = [&] {
    if (disentangled_) {
      if (!tokens.places) tokens.places = MakePlaces(length);
      return AttendDisentangled(attention, preparation, q, k, v, *tokens.places, mask);
    }
    if (bytes <= score_bytes_ || IsFused(attention.head_dim))
      return AttendWhole(q, k, v, attention.scale, mask);
    return AttendByParts(q, k, v, attention.scale, mask, score_bytes_);
  };
  const mx::array context = attend();
  return mx::reshape(mx::transpose(context, {0, 2, 1, 3}),
                     {sequences * length, Int(attention.width())});
}

mx::array MlxAttention::Attend(const Attention& attention, const MlxHeadPreparation& preparation,
                               const mx::array& qkv) {
  std::vector<mx::array> contexts;
  for (Tokens& tokens : buckets_) {
    contexts.push_back(AttendBucket(attention, preparation, qkv, tokens));
  }
  return mx::concatenate(std::move(contexts), 0);
}

}  // namespace embedding
