#include "backends/cuda/cuda_encoder.h"

#include <algorithm>
#include <array>
#include <bit>
#include <cstring>
#include <numeric>
#include <utility>

#include "backends/cuda/row_counts.h"
#include "backends/positions.h"

namespace embedding {
namespace {

// Rows that a feed-forward takes at a time: what lies between its products stays in the L2 cache.
constexpr size_t kFeedForwardRows = 4096;

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
      x_(compute.DeviceBuffer()),
      normed_(compute.DeviceBuffer()),
      qkv_(compute.DeviceBuffer()),
      context_(compute.DeviceBuffer()),
      attended_(compute.DeviceBuffer()),
      inner_(compute.DeviceBuffer()),
      gated_(compute.DeviceBuffer()),
      indices_(compute.DeviceBuffer()),
      host_indices_(compute.HostBuffer()),
      graphs_(compute) {
  for (const Layer& layer : encoder.layers) {
    const FeedForward& feed_forward = layer.feed_forward;
    largest_width_ = std::max(largest_width_, layer.attention.width());
    largest_qkv_width_ = std::max(largest_qkv_width_, layer.attention.qkv_width());
    largest_intermediate_ =
        std::max(largest_intermediate_, feed_forward.width * (feed_forward.gated ? 2 : 1));
    if (feed_forward.gated) largest_gated_ = std::max(largest_gated_, feed_forward.width);
    normalizes_input_ |= layer.attention_norms.input || layer.feed_forward_norms.input;
  }
}

Result<std::unique_ptr<CudaEncoder>> CudaEncoder::Load(CudaCompute& compute, const Encoder& encoder,
                                                       const EncoderTensors& tensors) {
  ASSIGN_OR_RETURN(CudaEncoderWeights weights, LoadEncoderWeights(compute, encoder, tensors));
  std::unique_ptr<CudaEncoder> made(new CudaEncoder(compute, encoder, std::move(weights)));
  ASSIGN_OR_RETURN(made->attention_, CudaAttention::Load(compute, made->encoder_, tensors));
  return made;
}

CudaEncoder::Indices CudaEncoder::PlacesOf(const CudaGraphs::Key& shape) {
  const size_t rows = shape.rows;
  const size_t tiles = 4 * rows + shape.kept;
  constexpr size_t kOfTile = sizeof(AttentionTile) / sizeof(int32_t);
  return {0, rows, 2 * rows, 3 * rows, 4 * rows, tiles, tiles + kOfTile * shape.tiles};
}

Result<CudaPointer> CudaEncoder::Run(const Batch& batch, std::span<const TokenRange> wanted) {
  size_t kept = 0;
  for (const TokenRange& range : wanted) kept += range.size();
  if (kept == 0) return CudaPointer{0};
  const size_t warps = LongestOf(batch.offsets) <= kShortSequence ? 1 : kAttentionWarps;
  MakeAttentionTiles(batch.offsets, warps * compute_.kernels().options().warp_queries(), tiles_);
  const CudaGraphs::Key shape = {ProductRows(batch.tokens()), TilesFor(tiles_.size()), warps,
                                 kept == batch.tokens() ? 0 : ProductRows(kept)};
  RETURN_IF_ERROR(Reserve(shape));
  RETURN_IF_ERROR(CopyIndices(batch, wanted, shape));
  RETURN_IF_ERROR(graphs_.Run(shape, [&] { return Launch(shape); }));
  return encoder_.layers.empty() && shape.kept != 0 ? normed_.address() : x_.address();
}

Status CudaEncoder::Reserve(const CudaGraphs::Key& shape) {
  const size_t hidden = encoder_.hidden_size;
  const size_t row = shape.rows * compute_.element_bytes();
  const size_t indices = PlacesOf(shape).count * sizeof(int32_t);
  // Of the last layer's kept rows, contexts stand in qkv_ and inputs in normed_.
  const size_t normed = std::max((normalizes_input_ ? shape.rows : shape.kept) * hidden,
                                 weights_.projection ? shape.rows * encoder_.embedding_size : 0);
  const size_t chunk = std::min(row, kFeedForwardRows * compute_.element_bytes());
  const std::array<std::pair<CudaBuffer*, size_t>, 9> needs = {{
      {&x_, row * hidden},
      {&normed_, normed * compute_.element_bytes()},
      {&qkv_, row * largest_qkv_width_},
      {&context_, row * largest_width_},
      {&attended_, chunk * hidden},
      {&inner_, chunk * largest_intermediate_},
      {&gated_, chunk * largest_gated_},
      {&indices_, indices},
      {&host_indices_, indices},
  }};
  ASSIGN_OR_RETURN(const bool has_room, attention_->Reserve(shape.rows));
  if (!has_room) graphs_.Clear();
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
  for (CudaBuffer* const buffer :
       {&x_, &normed_, &qkv_, &context_, &attended_, &inner_, &gated_, &indices_}) {
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
  std::memcpy(indices + places.tiles, tiles_.data(), tiles_.size() * sizeof(AttentionTile));
  return compute_.CopyToDevice(indices_.address(), indices, places.count * sizeof(int32_t));
}

Status CudaEncoder::Launch(const CudaGraphs::Key& shape) {
  RETURN_IF_ERROR(LaunchEmbeddings(shape));
  RETURN_IF_ERROR(attention_->Turn(Index(PlacesOf(shape).places), shape.rows));
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
  RETURN_IF_ERROR(compute_.kernels().Launch(
      Kernel::kEmbed, OneWarpARow(shape.rows), compute_.stream(),
      weights_.word_embeddings.address(), encoder_.embedding_scale,
      weights_.token_type_embeddings.address(), weights_.position_embeddings.address(),
      Index(places.ids), Index(places.types), Index(places.positions),
      static_cast<int>(norm.has_value()), norm ? static_cast<int>(norm->norm.kind) : 0,
      norm ? norm->weight.address() : 0, norm ? norm->bias.address() : 0,
      norm ? norm->norm.eps : 0.0F, static_cast<int>(shape.rows), embedded));
  if (!weights_.projection) return {};
  RETURN_IF_ERROR(
      compute_.Multiply(*weights_.projection, embedded, shape.rows, /*added=*/0, x_.address()));
  if (!weights_.projected_norm) return {};
  return compute_.Normalize(*weights_.projected_norm, x_.address(), shape.rows, /*added=*/0,
                            x_.address());
}

Status CudaEncoder::Gather(CudaPointer from, size_t columns, CudaPointer to,
                           const CudaGraphs::Key& shape) {
  return compute_.kernels().Launch(Kernel::kGatherRows, {.x = shape.kept, .threads = 256},
                                   compute_.stream(), from, Index(PlacesOf(shape).kept),
                                   static_cast<int>(columns), to);
}

Status CudaEncoder::LaunchLayer(size_t index, const CudaGraphs::Key& shape) {
  const Attention& attention = encoder_.layers[index].attention;
  const CudaLayerWeights& weights = weights_.layers[encoder_.layers[index].weights];
  CudaPointer x = x_.address();
  CudaPointer input = x;
  if (const std::optional<CudaNorm>& norm = weights.attention_norms.input) {
    input = normed_.address();
    RETURN_IF_ERROR(compute_.Normalize(*norm, x, shape.rows, /*added=*/0, input));
  }
  RETURN_IF_ERROR(compute_.Multiply(weights.qkv, input, shape.rows, /*added=*/0, qkv_.address()));
  RETURN_IF_ERROR(attention_->PrepareHeads(index, weights.head_norms, qkv_.address(), shape.rows));
  RETURN_IF_ERROR(attention_->Attend(index, qkv_.address(), Index(PlacesOf(shape).tiles),
                                     shape.tiles, shape.warps, context_.address()));
  size_t rows = shape.rows;
  CudaPointer context = context_.address();
  if (index + 1 == encoder_.layers.size() && shape.kept != 0) {
    RETURN_IF_ERROR(Gather(context, attention.width(), qkv_.address(), shape));
    RETURN_IF_ERROR(Gather(x, encoder_.hidden_size, normed_.address(), shape));
    rows = shape.kept;
    context = qkv_.address();
    x = normed_.address();
  }
  const size_t row_bytes = encoder_.hidden_size * compute_.element_bytes();
  const size_t context_bytes = attention.width() * compute_.element_bytes();
  const size_t chunks = RoundUpTo(kFeedForwardRows, rows) / kFeedForwardRows;
  const size_t of_chunk = RoundUpTo(128, (rows + chunks - 1) / chunks);
  for (size_t row = 0; row < rows; row += of_chunk) {
    const size_t at = row * row_bytes;
    RETURN_IF_ERROR(LaunchAfterAttention(index, x + at, context + row * context_bytes,
                                         normed_.address() + at, x_.address() + at,
                                         std::min(of_chunk, rows - row)));
  }
  return {};
}

Status CudaEncoder::LaunchAfterAttention(size_t index, CudaPointer x, CudaPointer context,
                                         CudaPointer normed, CudaPointer to, size_t rows) {
  const Layer& layer = encoder_.layers[index];
  const FeedForward& feed_forward = layer.feed_forward;
  const CudaLayerWeights& weights = weights_.layers[layer.weights];
  const CudaPointer attended = attended_.address();
  CudaPointer inner = inner_.address();
  RETURN_IF_ERROR(
      AddBranch(weights.attention_norms, weights.attention_output, context, x, attended, rows));
  CudaPointer input = attended;
  if (const std::optional<CudaNorm>& norm = weights.feed_forward_norms.input) {
    input = normed;
    RETURN_IF_ERROR(compute_.Normalize(*norm, attended, rows, /*added=*/0, input));
  }
  RETURN_IF_ERROR(compute_.Multiply(weights.intermediate, input, rows, /*added=*/0, inner));
  if (feed_forward.gated) {
    inner = gated_.address();
    RETURN_IF_ERROR(
        compute_.Gate(feed_forward.activation, inner_.address(), rows, feed_forward.width, inner));
  } else {
    RETURN_IF_ERROR(compute_.Activate(feed_forward.activation, inner, rows * feed_forward.width,
                                      compute_.type()));
  }
  return AddBranch(weights.feed_forward_norms, weights.output, inner, attended, to, rows);
}

Status CudaEncoder::AddBranch(const CudaHalfNorms& norms, const CudaLinear& linear, CudaPointer in,
                              CudaPointer x, CudaPointer to, size_t rows) {
  RETURN_IF_ERROR(compute_.Multiply(linear, in, rows, norms.branch ? 0 : x, to));
  if (norms.branch) RETURN_IF_ERROR(compute_.Normalize(*norms.branch, to, rows, x, to));
  if (!norms.output) return {};
  return compute_.Normalize(*norms.output, to, rows, /*added=*/0, to);
}

}  // namespace embedding
