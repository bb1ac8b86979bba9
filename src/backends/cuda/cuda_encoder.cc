#include "backends/cuda/cuda_encoder.h"

#include <algorithm>
#include <array>
#include <bit>
#include <numeric>
#include <utility>

#include "backends/adapted_models.h"
#include "backends/cuda/row_counts.h"
#include "backends/neighbours.h"
#include "backends/positions.h"

namespace embedding {
namespace {

// Of a sequence of no more tokens a warp has no neighbours in its block: more blocks fit beside
// each other then.
constexpr size_t kShortSequence = 64;

size_t RoundUpTo(size_t step, size_t n) { return (n + step - 1) / step * step; }

// At most a quarter is added, or 7; a tile that only fills up costs next to nothing.
size_t TilesFor(size_t tiles) {
  return RoundUpTo(std::max<size_t>(8, std::bit_floor(tiles) / 4), tiles);
}

size_t LongestOf(std::span<const uint32_t> offsets) {
  size_t longest = 0;
  for (size_t s = 0; s + 1 < offsets.size(); ++s)
    longest = std::max<size_t>(longest, offsets[s + 1] - offsets[s]);
  return longest;
}

}  // namespace

CudaEncoder::CudaEncoder(CudaCompute& compute, const Encoder& encoder, CudaEncoderWeights weights)
    : compute_(compute),
      encoder_(encoder),
      weights_(std::move(weights)),
      products_(compute, encoder.adapters ? encoder.adapters->scale : 1),
      feed_forward_(compute, products_, encoder_),
      x_(compute.DeviceBuffer()),
      normed_(compute.DeviceBuffer()),
      qkv_(compute.DeviceBuffer()),
      context_(compute.DeviceBuffer()),
      first_(compute.DeviceBuffer()),
      kept_first_(compute.DeviceBuffer()),
      indices_(compute.DeviceBuffer()),
      host_indices_(compute.HostBuffer()),
      graphs_(compute) {
  for (const Layer& layer : encoder.layers) {
    largest_width_ = std::max(largest_width_, layer.attention.width());
    largest_qkv_width_ = std::max(largest_qkv_width_, layer.attention.qkv_width());
    normalizes_input_ |= layer.attention_norms.input || layer.feed_forward_norms.input;
    has_experts_ |= layer.feed_forward.experts.has_value();
  }
  largest_rank_ = std::max(RankOf(weights_.word_adapters), RankOf(weights_.token_type_adapters));
  for (const CudaLayerWeights& layer : weights_.layers) {
    for (const CudaAdaptedLinear* const linear :
         {&layer.qkv, &layer.attention_output, layer.intermediate ? &*layer.intermediate : nullptr,
          layer.output ? &*layer.output : nullptr}) {
      if (linear != nullptr) largest_rank_ = std::max(largest_rank_, RankOf(linear->adapters));
    }
  }
}

Result<std::unique_ptr<CudaEncoder>> CudaEncoder::Load(CudaCompute& compute, const Encoder& encoder,
                                                       const EncoderTensors& tensors) {
  ASSIGN_OR_RETURN(CudaEncoderWeights weights, LoadEncoderWeights(compute, encoder, tensors));
  std::unique_ptr<CudaEncoder> made(new CudaEncoder(compute, encoder, std::move(weights)));
  ASSIGN_OR_RETURN(made->attention_, CudaAttention::Load(compute, made->encoder_, tensors));
  ASSIGN_OR_RETURN(made->convolution_, CudaConvolution::Load(compute, encoder, tensors));
  return made;
}

CudaEncoder::Indices CudaEncoder::PlacesOf(const CudaGraphs::Key& shape) const {
  const size_t rows = shape.rows;
  const size_t kept = 4 * rows;
  // Those of rows and of kept rows, where any has one.
  const size_t adapters = kept + shape.kept;
  const size_t kept_adapters = adapters + (shape.adapters.empty() ? 0 : rows);
  const size_t tiles = kept_adapters + (shape.adapters.empty() ? 0 : shape.kept);
  const size_t of_tiles = attention_->head_sizes() * sizeof(AttentionTile) / sizeof(int32_t);
  const size_t neighbours = tiles + of_tiles * shape.tiles;
  return {0,
          rows,
          2 * rows,
          3 * rows,
          kept,
          adapters,
          kept_adapters,
          tiles,
          neighbours,
          neighbours + (convolution_ ? convolution_->kernel() * rows : 0)};
}

CudaAdaptedRows CudaEncoder::AdaptedRows(const CudaGraphs::Key& shape, bool are_kept) const {
  const Indices places = PlacesOf(shape);
  return {shape.adapters, Index(are_kept ? places.kept_adapters : places.adapters)};
}

Result<CudaPointer> CudaEncoder::Run(const Batch& batch, std::span<const TokenRange> wanted) {
  size_t kept = 0;
  for (const TokenRange& range : wanted) kept += range.size();
  if (kept == 0) return CudaPointer{0};
  const size_t warps = LongestOf(batch.offsets) <= kShortSequence ? 1 : kAttentionWarps;
  const size_t tiles = attention_->MakeTiles(batch.offsets, warps);
  const CudaGraphs::Key shape = {ProductRows(batch.tokens()), TilesFor(tiles), warps,
                                 kept == batch.tokens() ? 0 : ProductRows(kept),
                                 UsedAdapters(batch)};
  RETURN_IF_ERROR(Reserve(shape));
  RETURN_IF_ERROR(CopyIndices(batch, wanted, shape));
  if (has_experts_) {  // which are chosen in between
    RETURN_IF_ERROR(Launch(shape));
  } else {
    RETURN_IF_ERROR(graphs_.Run(shape, [&] { return Launch(shape); }));
  }
  return encoder_.layers.empty() && shape.kept != 0 ? normed_.address() : x_.address();
}

Status CudaEncoder::Reserve(const CudaGraphs::Key& shape) {
  const size_t hidden = encoder_.hidden_size;
  const size_t row = shape.rows * compute_.element_bytes();
  const size_t indices = PlacesOf(shape).count * sizeof(int32_t);
  // Of the last layer's kept rows, contexts stand in qkv_ and inputs in normed_.
  const size_t normed = std::max((normalizes_input_ ? shape.rows : shape.kept) * hidden,
                                 weights_.projection ? shape.rows * encoder_.embedding_size : 0);
  const bool has_first = encoder_.layer_inputs.has_value();
  const std::array<std::pair<CudaBuffer*, size_t>, 8> needs = {{
      {&x_, row * hidden},
      {&normed_, normed * compute_.element_bytes()},
      {&qkv_, row * largest_qkv_width_},
      {&context_, row * largest_width_},
      {&first_, has_first ? row * hidden : 0},
      {&kept_first_, has_first ? shape.kept * compute_.element_bytes() * hidden : 0},
      {&indices_, indices},
      {&host_indices_, indices},
  }};
  ASSIGN_OR_RETURN(const bool attends, attention_->Reserve(shape.rows));
  ASSIGN_OR_RETURN(const bool feeds, feed_forward_.Reserve(shape.rows));
  ASSIGN_OR_RETURN(const bool adapts, products_.Reserve(shape.rows, largest_rank_));
  bool convolves = true;
  if (convolution_) {
    ASSIGN_OR_RETURN(convolves, convolution_->Reserve(shape.rows, shape.kept));
  }
  if (!attends || !feeds || !adapts || !convolves) graphs_.Clear();
  for (const auto& [buffer, bytes] : needs) {
    if (bytes <= buffer->bytes()) continue;
    graphs_.Clear();
    RETURN_IF_ERROR(buffer->Reserve(bytes));
  }
  return {};
}

void CudaEncoder::FreeBuffers() {
  graphs_.Clear();
  attention_->FreeBuffers();
  feed_forward_.FreeBuffers();
  products_.FreeBuffers();
  if (convolution_) convolution_->FreeBuffers();
  for (CudaBuffer* const buffer :
       {&x_, &normed_, &qkv_, &context_, &first_, &kept_first_, &indices_}) {
    buffer->Free();
  }
}

Status CudaEncoder::CopyIndices(const Batch& batch, std::span<const TokenRange> wanted,
                                const CudaGraphs::Key& shape) {
  const Indices places = PlacesOf(shape);
  auto* const indices = host_indices_.host<int32_t>();
  std::fill_n(indices, places.count, 0);
  std::copy(batch.input_ids.begin(), batch.input_ids.end(), indices + places.ids);
  std::copy(batch.token_type_ids.begin(), batch.token_type_ids.end(), indices + places.types);
  for (size_t s = 0; s < batch.sequences(); ++s) {
    const auto begin = indices + places.places;
    std::iota(begin + batch.offsets[s], begin + batch.offsets[s + 1], 0);
  }
  PlaceTokens(encoder_.positions, batch, positions_);
  std::copy(positions_.begin(), positions_.end(), indices + places.positions);
  if (shape.kept != 0) {
    int32_t* kept = indices + places.kept;
    for (size_t s = 0; s < batch.sequences(); ++s) {
      for (uint32_t i = wanted[s].begin; i < wanted[s].end; ++i)
        *kept++ = static_cast<int32_t>(batch.offsets[s] + i);
    }
  }
  if (!shape.adapters.empty()) {
    int32_t* kept_adapters = indices + places.kept_adapters;
    std::fill_n(indices + places.adapters, places.tiles - places.adapters, -1);
    for (size_t s = 0; s < batch.sequences(); ++s) {
      const int32_t adapter = batch.adapter_of(s);
      int32_t* const of_rows = indices + places.adapters;
      std::fill(of_rows + batch.offsets[s], of_rows + batch.offsets[s + 1], adapter);
      if (shape.kept != 0) kept_adapters = std::fill_n(kept_adapters, wanted[s].size(), adapter);
    }
  }
  if (convolution_) {
    PlaceNeighbours(*encoder_.convolution, batch.offsets, /*beyond=*/-1, neighbours_);
    std::copy(neighbours_.begin(), neighbours_.end(), indices + places.neighbours);
  }
  attention_->CopyTiles(reinterpret_cast<AttentionTile*>(indices + places.tiles), shape.tiles);
  return compute_.CopyToDevice(indices_.address(), indices, places.count * sizeof(int32_t));
}

Status CudaEncoder::Launch(const CudaGraphs::Key& shape) {
  RETURN_IF_ERROR(LaunchEmbeddings(shape));
  RETURN_IF_ERROR(attention_->Turn(Index(PlacesOf(shape).places), shape.rows));
  if (encoder_.layer_inputs) {
    const size_t bytes = shape.rows * encoder_.hidden_size * compute_.element_bytes();
    RETURN_IF_ERROR(compute_.CopyOnDevice(first_.address(), x_.address(), bytes));
  }
  if (convolution_) {
    RETURN_IF_ERROR(
        convolution_->Launch(x_.address(), Index(PlacesOf(shape).neighbours), shape.rows));
  }
  for (size_t i = 0; i < encoder_.layers.size(); ++i) RETURN_IF_ERROR(LaunchLayer(i, shape));
  CudaPointer x = x_.address();
  if (encoder_.layers.empty() && shape.kept != 0) {
    x = normed_.address();
    RETURN_IF_ERROR(Gather(x_.address(), encoder_.hidden_size, x, shape));
  }
  if (!weights_.final_norm) return {};
  return compute_.Normalize(*weights_.final_norm, x, shape.kept != 0 ? shape.kept : shape.rows,
                            /*added=*/0, x);
}

Status CudaEncoder::LaunchEmbeddings(const CudaGraphs::Key& shape) {
  const Indices places = PlacesOf(shape);
  const CudaPointer embedded = weights_.projection ? normed_.address() : x_.address();
  const std::optional<CudaNorm>& norm = weights_.embeddings_norm;
  // Not only where a batch has some: numbers are rounded once more in between.
  const bool adapts = encoder_.adapters.has_value();
  const bool normalizes = norm && !adapts;
  RETURN_IF_ERROR(compute_.kernels().Launch(
      Kernel::kEmbed, OneWarpARow(shape.rows), compute_.stream(),
      weights_.word_embeddings.address(), encoder_.embedding_scale,
      weights_.token_type_embeddings.address(), weights_.position_embeddings.address(),
      Index(places.ids), Index(places.types), Index(places.positions), static_cast<int>(normalizes),
      norm ? static_cast<int>(norm->norm.kind) : 0, norm ? norm->weight.address() : 0,
      norm ? norm->bias.address() : 0, norm ? norm->norm.eps : 0.0F, static_cast<int>(shape.rows),
      embedded));
  if (adapts) {  // in a model without a projection
    const CudaAdaptedRows adapted = AdaptedRows(shape, /*are_kept=*/false);
    RETURN_IF_ERROR(products_.AddOfTable(weights_.word_adapters, Index(places.ids),
                                         encoder_.embedding_scale, adapted, shape.rows, embedded));
    RETURN_IF_ERROR(products_.AddOfTable(weights_.token_type_adapters, Index(places.types), 1,
                                         adapted, shape.rows, embedded));
    if (norm) RETURN_IF_ERROR(compute_.Normalize(*norm, embedded, shape.rows, 0, embedded));
  }
  if (!weights_.projection) return {};
  RETURN_IF_ERROR(
      compute_.Multiply(*weights_.projection, embedded, shape.rows, /*added=*/0, x_.address()));
  if (!weights_.projected_norm) return {};
  return compute_.Normalize(*weights_.projected_norm, x_.address(), shape.rows, /*added=*/0,
                            x_.address());
}

Status CudaEncoder::Gather(CudaPointer from, size_t columns, CudaPointer to,
                           const CudaGraphs::Key& shape) {
  return compute_.GatherRows(from, Index(PlacesOf(shape).kept), shape.kept, columns, to);
}

Status CudaEncoder::LaunchLayer(size_t index, const CudaGraphs::Key& shape) {
  const Layer& layer = encoder_.layers[index];
  const CudaLayerWeights& weights = weights_.layers[layer.weights];
  CudaPointer input = x_.address();
  if (const std::optional<CudaNorm>& norm = weights.attention_norms.input) {
    input = normed_.address();
    RETURN_IF_ERROR(compute_.Normalize(*norm, x_.address(), shape.rows, /*added=*/0, input));
  }
  RETURN_IF_ERROR(products_.Multiply(weights.qkv, input, AdaptedRows(shape, /*are_kept=*/false),
                                     shape.rows, /*added=*/0, qkv_.address()));
  RETURN_IF_ERROR(attention_->Attend(index, weights, qkv_.address(), shape.rows,
                                     {Index(PlacesOf(shape).tiles), shape.tiles, shape.warps},
                                     context_.address()));

  const bool keeps = index + 1 == encoder_.layers.size() && shape.kept != 0;
  const size_t hidden = encoder_.hidden_size;
  const size_t width = layer.attention.width();
  CudaFeedForward::Rows all = {.count = keeps ? shape.kept : shape.rows,
                               .x = x_.address(),
                               .context = context_.address(),
                               .first = first_.address(),
                               .normed = normed_.address(),
                               .to = x_.address(),
                               .adapted = AdaptedRows(shape, keeps)};
  if (keeps) {
    RETURN_IF_ERROR(Gather(all.context, width, qkv_.address(), shape));
    RETURN_IF_ERROR(Gather(all.x, hidden, normed_.address(), shape));
    if (encoder_.layer_inputs)
      RETURN_IF_ERROR(Gather(all.first, hidden, kept_first_.address(), shape));
    all.context = qkv_.address();
    all.x = normed_.address();
    all.first = kept_first_.address();
  }
  const size_t chunks = RoundUpTo(kFeedForwardRows, all.count) / kFeedForwardRows;
  const size_t of_chunk = RoundUpTo(128, (all.count + chunks - 1) / chunks);
  for (size_t row = 0; row < all.count; row += of_chunk) {
    const size_t at = row * hidden * compute_.element_bytes();
    RETURN_IF_ERROR(
        feed_forward_.Launch(layer, weights,
                             {.count = std::min(of_chunk, all.count - row),
                              .x = all.x + at,
                              .context = all.context + row * width * compute_.element_bytes(),
                              .first = all.first + at,
                              .normed = all.normed + at,
                              .to = all.to + at,
                              .adapted = all.adapted.from(row)}));
  }
  if (index != 0 || !convolution_) return {};
  if (keeps) RETURN_IF_ERROR(convolution_->Keep(Index(PlacesOf(shape).kept), shape.kept));
  return convolution_->AddTo(all.to);
}

}  // namespace embedding
