#include "backends/mlx/mlx_encoder.h"

#include <mlx/mlx.h>

#include <array>
#include <utility>

#include "backends/neighbours.h"
#include "backends/positions.h"

namespace embedding {

namespace mx = mlx::core;

namespace {

int Int(size_t n) { return static_cast<int>(n); }

// Row numbers, filled up with the first to one of few sizes.
mx::array FilledUp(std::vector<int32_t> rows) {
  rows.resize(RoundUpFinely(rows.size()), 0);
  return ToArray(rows, {Int(rows.size())});
}

std::optional<mx::array> ToArray(const std::optional<TensorView>& tensor, mx::Dtype dtype) {
  if (!tensor) return std::nullopt;
  return ToArray(*tensor, dtype);
}

}  // namespace

MlxEncoder::MlxEncoder(const Encoder& encoder, const EncoderTensors& tensors, mx::Dtype dtype,
                       bool compiled, size_t score_bytes)
    : encoder_(encoder),
      word_embeddings_(embedding::ToArray(tensors.word_embeddings, dtype)),
      position_embeddings_(ToArray(tensors.position_embeddings, dtype)),
      token_type_embeddings_(ToArray(tensors.token_type_embeddings, dtype)),
      word_adapters_(LoadTableAdapters(tensors.word_adapters, dtype)),
      token_type_adapters_(LoadTableAdapters(tensors.token_type_adapters, dtype)),
      embeddings_norm_(LoadNorm(tensors.embeddings_norm, encoder.embeddings_norm, dtype)),
      projected_norm_(LoadNorm(tensors.projected_norm, encoder.projected_norm, dtype)),
      final_norm_(LoadNorm(tensors.final_norm, encoder.final_norm, dtype)),
      attention_(encoder, tensors, dtype, score_bytes) {
  if (tensors.projection) projection_ = LoadLinear(*tensors.projection, dtype);
  if (encoder.convolution) {
    convolution_ = LoadLinear(*tensors.convolution, dtype);
    convolution_norm_ = LoadNorm(*tensors.convolution_norm, encoder.convolution->norm, dtype);
  }
  for (const Layer& layer : encoder.layers) {
    if (layer.weights != layers_.size()) continue;
    const LayerTensors& of = tensors.layers[layer.weights];
    const std::array<LinearTensors, 3> qkv = {of.query, of.key, of.value};
    layers_.push_back({LoadNorm(of.attention_norms.input, layer.attention_norms.input, dtype),
                       LoadAdaptedLinears(qkv, dtype),
                       LoadHeadPreparation(layer.attention, encoder, tensors, of, dtype),
                       LoadFeedForward(layer, encoder, of, dtype)});
  }
  // Which adapters a batch has changes what is computed.
  if (!compiled || encoder.adapters) return;
  for (size_t i = 0; i < encoder.layers.size(); ++i) {
    const Layer& layer = encoder.layers[i];
    if (i > 0 && HaveSameFeedForward(layer, encoder.layers[i - 1])) {
      feed_forwards_.push_back(feed_forwards_.back());
      continue;
    }
    feed_forwards_.push_back(
        mx::compile([this, &layer = encoder_.layers[i], like = &weights_of(i).feed_forward](
                        const std::vector<mx::array>& arrays) -> std::vector<mx::array> {
          const MlxFeedForward weights = WithArrays(*like, std::span(arrays).subspan(3));
          return {RunFeedForward(encoder_, layer, weights, arrays[0], arrays[1], arrays[2],
                                 /*adapted=*/nullptr)};
        }));
  }
}

mx::array MlxEncoder::FeedForward(size_t layer, const mx::array& x, const mx::array& context,
                                  const mx::array& first, const MlxAdaptedRows* adapted) const {
  const MlxFeedForward& weights = weights_of(layer).feed_forward;
  if (feed_forwards_.empty()) {
    return RunFeedForward(encoder_, encoder_.layers[layer], weights, x, context, first, adapted);
  }
  std::vector<mx::array> arrays = {x, context, first};
  const std::vector<mx::array> of_weights = ArraysOf(weights);
  arrays.insert(arrays.end(), of_weights.begin(), of_weights.end());
  return feed_forwards_[layer](arrays)[0];
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
  attention_.Prepare(buckets);
  std::optional<MlxAdaptedRows> adapted;
  if (encoder_.adapters) {
    adapted = AdaptedRowsOf(batch, encoder_.adapters->scale, RoundUpFinely(batch.tokens()),
                            word_embeddings_.dtype());
  }
  const MlxAdaptedRows* const adapted_rows = adapted ? &*adapted : nullptr;
  mx::array x = Embed(batch, adapted_rows);
  mx::array first = x;
  std::optional<mx::array> convolved;
  if (convolution_) convolved = Convolved(batch, first);
  if (encoder_.layers.empty()) x = TakeRows(x, kept_rows);
  for (size_t i = 0; i < encoder_.layers.size(); ++i) {
    const LayerWeights& layer = weights_of(i);
    const mx::array qkv =
        layer.qkv.Run(layer.input_norm ? (*layer.input_norm)(x) : x, adapted_rows);
    mx::array context =
        TakeRows(attention_.Attend(encoder_.layers[i].attention, layer.preparation, qkv), places);
    if (i + 1 == encoder_.layers.size()) {
      context = TakeRows(context, kept_rows);
      x = TakeRows(x, kept_rows);
      first = TakeRows(first, kept_rows);
      if (convolved) convolved = TakeRows(*convolved, kept_rows);
      if (adapted) adapted->scales = TakeRows(adapted->scales, kept_rows);
    }
    x = FeedForward(i, x, context, first, adapted_rows);
    if (i == 0 && convolved) x = (*convolution_norm_)(x + *convolved);
  }
  return final_norm_ ? (*final_norm_)(x) : x;
}

mx::array MlxEncoder::Convolved(const Batch& batch, const mx::array& first) const {
  const Convolution& convolution = *encoder_.convolution;
  const int rows = first.shape(0);
  const mx::array zeros = mx::zeros({1, first.shape(1)}, first.dtype());
  std::vector<int32_t> neighbours;
  PlaceNeighbours(convolution, batch.offsets, /*beyond=*/rows, neighbours);
  neighbours.resize(convolution.kernel * static_cast<size_t>(rows), rows);
  const mx::array side_by_side = mx::reshape(
      TakeRows(mx::concatenate({first, zeros}, 0), ToArray(neighbours, {Int(neighbours.size())})),
      {rows, Int(convolution.kernel) * first.shape(1)});
  return Activate(convolution.activation, (*convolution_)(side_by_side));
}

mx::array MlxEncoder::Embed(const Batch& batch, const MlxAdaptedRows* adapted) {
  const auto rows_of = [adapted](const mx::array& table, std::span<const int32_t> indices,
                                 const std::optional<MlxAdapters>& adapters) {
    const mx::array ids = FilledUp({indices.begin(), indices.end()});
    mx::array rows = TakeRows(table, ids);
    if (!adapters || adapted == nullptr) return rows;
    return AddTableAdapters(*adapters, *adapted, ids, rows);
  };
  mx::array x = rows_of(word_embeddings_, batch.input_ids, word_adapters_);
  if (encoder_.embedding_scale != 1) {
    x = x * mx::array(encoder_.embedding_scale, word_embeddings_.dtype());
  }
  if (token_type_embeddings_)
    x = x + rows_of(*token_type_embeddings_, batch.token_type_ids, token_type_adapters_);
  if (position_embeddings_) {
    PlaceTokens(encoder_.positions, batch, positions_);
    x = x + rows_of(*position_embeddings_, positions_, std::nullopt);
  }
  if (embeddings_norm_) x = (*embeddings_norm_)(x);
  if (projection_) x = (*projection_)(x);
  return projected_norm_ ? (*projected_norm_)(x) : x;
}

}  // namespace embedding
