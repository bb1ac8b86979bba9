#include "backends/cuda/cuda_encoder.h"

#include <algorithm>
#include <array>
#include <bit>
#include <cmath>
#include <cstring>
#include <utility>

#include "backends/cuda/row_counts.h"
#include "backends/positions.h"

namespace embedding {
namespace {

// For fewer rows the library's best kernels split sums, which is not wanted (cuda_products.h);
// those for so many do not, and are faster than what is left for fewer: 25 us for the four products
// of a layer of bge-m3's size on an H200, and 45 to 115 for 16 to 128 rows.
constexpr size_t kMinRows = 192;

// Rows that a feed-forward takes at a time: what lies between its products stays in the L2 cache.
constexpr size_t kFeedForwardRows = 4096;

// Of a sequence of no more tokens a warp has no neighbours in its block: more blocks fit beside
// each other then.
constexpr size_t kShortSequence = 64;

size_t RoundUpTo(size_t step, size_t n) { return (n + step - 1) / step * step; }

size_t RowsFor(size_t rows) { return std::max(kMinRows, RoundUpRows(rows)); }

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

CudaEncoder::CudaEncoder(CudaCompute& compute, const Encoder& encoder)
    : compute_(compute),
      encoder_(encoder),
      word_embeddings_(compute.DeviceBuffer()),
      position_embeddings_(compute.DeviceBuffer()),
      token_type_embeddings_(compute.DeviceBuffer()),
      x_(compute.DeviceBuffer()),
      qkv_(compute.DeviceBuffer()),
      context_(compute.DeviceBuffer()),
      attended_(compute.DeviceBuffer()),
      inner_(compute.DeviceBuffer()),
      indices_(compute.DeviceBuffer()),
      host_indices_(compute.HostBuffer()),
      graphs_(compute) {
  for (const Layer& layer : encoder.layers) {
    largest_width_ = std::max(largest_width_, layer.attention.width());
    largest_inner_ = std::max(largest_inner_, layer.feed_forward.width);
  }
}

Result<std::unique_ptr<CudaEncoder>> CudaEncoder::Load(CudaCompute& compute, const Encoder& encoder,
                                                       const EncoderTensors& tensors) {
  const ComputeType type = compute.type();
  std::unique_ptr<CudaEncoder> made(new CudaEncoder(compute, encoder));
  const auto table = [&](CudaBuffer& buffer, const TensorView& tensor) -> Status {
    RETURN_IF_ERROR(buffer.Reserve(tensor.elements() * compute.element_bytes()));
    return compute.Fill(tensor, buffer.address(), type);
  };
  RETURN_IF_ERROR(table(made->word_embeddings_, tensors.word_embeddings));
  RETURN_IF_ERROR(table(made->position_embeddings_, *tensors.position_embeddings));
  RETURN_IF_ERROR(table(made->token_type_embeddings_, *tensors.token_type_embeddings));
  ASSIGN_OR_RETURN(CudaNorm norm,
                   compute.LoadNorm(*tensors.embeddings_norm, *encoder.embeddings_norm, type));
  made->embeddings_norm_ = std::make_unique<CudaNorm>(std::move(norm));
  for (size_t i = 0; i < encoder.layers.size(); ++i) {
    const Layer& layer = encoder.layers[i];
    const LayerTensors& of = tensors.layers[i];
    const std::array<LinearTensors, 3> parts = {of.query, of.key, of.value};
    ASSIGN_OR_RETURN(CudaLinear qkv, compute.LoadLinears(parts, type));
    ASSIGN_OR_RETURN(CudaLinear attention_output, compute.LoadLinear(of.attention_output, type));
    ASSIGN_OR_RETURN(
        CudaNorm attention_norm,
        compute.LoadNorm(*of.attention_norms.output, *layer.attention_norms.output, type));
    ASSIGN_OR_RETURN(CudaLinear intermediate,
                     compute.LoadLinear(of.feed_forward[0].intermediate, type));
    ASSIGN_OR_RETURN(CudaLinear output, compute.LoadLinear(of.feed_forward[0].output, type));
    ASSIGN_OR_RETURN(
        CudaNorm output_norm,
        compute.LoadNorm(*of.feed_forward_norms.output, *layer.feed_forward_norms.output, type));
    made->layers_.push_back({std::move(qkv), std::move(attention_output), std::move(attention_norm),
                             std::move(intermediate), std::move(output), std::move(output_norm)});
  }
  return made;
}

CudaEncoder::Indices CudaEncoder::PlacesOf(const CudaGraphs::Key& shape) {
  const size_t tiles = 3 * shape.rows + shape.kept;
  constexpr size_t kOfTile = sizeof(AttentionTile) / sizeof(int32_t);
  return {0, shape.rows, 2 * shape.rows, 3 * shape.rows, tiles, tiles + kOfTile * shape.tiles};
}

Result<CudaPointer> CudaEncoder::Run(const Batch& batch, std::span<const TokenRange> wanted) {
  size_t kept = 0;
  for (const TokenRange& range : wanted) kept += range.size();
  if (kept == 0) return CudaPointer{0};
  const size_t warps = LongestOf(batch.offsets) <= kShortSequence ? 1 : kAttentionWarps;
  MakeAttentionTiles(batch.offsets, warps * compute_.kernels().options().warp_queries(), tiles_);
  const CudaGraphs::Key shape = {RowsFor(batch.tokens()), TilesFor(tiles_.size()), warps,
                                 kept == batch.tokens() ? 0 : RowsFor(kept)};
  RETURN_IF_ERROR(Reserve(shape));
  RETURN_IF_ERROR(CopyIndices(batch, wanted, shape));
  RETURN_IF_ERROR(graphs_.Run(shape, [&] { return Launch(shape); }));
  return x_.address();
}

Status CudaEncoder::Reserve(const CudaGraphs::Key& shape) {
  const size_t hidden = encoder_.hidden_size;
  const size_t row = shape.rows * compute_.element_bytes();
  const size_t indices = PlacesOf(shape).count * sizeof(int32_t);
  // Of the last layer's kept rows, contexts stand in qkv_ and inputs in attended_.
  const std::array<std::pair<CudaBuffer*, size_t>, 7> needs = {{
      {&x_, row * hidden},
      {&qkv_, row * 3 * largest_width_},
      {&context_, row * largest_width_},
      {&attended_, row * hidden},
      {&inner_, std::min(row, kFeedForwardRows * compute_.element_bytes()) * largest_inner_},
      {&indices_, indices},
      {&host_indices_, indices},
  }};
  for (const auto& [buffer, bytes] : needs) {
    if (bytes <= buffer->bytes()) continue;
    graphs_.Clear();
    RETURN_IF_ERROR(buffer->Reserve(bytes));
  }
  return {};
}

void CudaEncoder::FreeBuffers() {
  graphs_.Clear();
  for (CudaBuffer* const buffer : {&x_, &qkv_, &context_, &attended_, &inner_, &indices_})
    buffer->Free();
}

Status CudaEncoder::CopyIndices(const Batch& batch, std::span<const TokenRange> wanted,
                                const CudaGraphs::Key& shape) {
  const Indices places = PlacesOf(shape);
  auto* const indices = host_indices_.host<int32_t>();
  std::fill_n(indices, places.count, 0);
  std::copy(batch.input_ids.begin(), batch.input_ids.end(), indices + places.ids);
  std::copy(batch.token_type_ids.begin(), batch.token_type_ids.end(), indices + places.types);
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
  for (size_t i = 0; i < layers_.size(); ++i) RETURN_IF_ERROR(LaunchLayer(i, shape));
  return {};
}

Status CudaEncoder::LaunchEmbeddings(const CudaGraphs::Key& shape) {
  const Indices places = PlacesOf(shape);
  return compute_.kernels().Launch(
      Kernel::kEmbed, OneWarpARow(shape.rows), compute_.stream(), word_embeddings_.address(),
      token_type_embeddings_.address(), position_embeddings_.address(), Index(places.ids),
      Index(places.types), Index(places.positions), embeddings_norm_->weight.address(),
      embeddings_norm_->bias.address(), embeddings_norm_->eps, static_cast<int>(shape.rows),
      x_.address());
}

Status CudaEncoder::Gather(CudaPointer from, size_t columns, CudaPointer to,
                           const CudaGraphs::Key& shape) {
  return compute_.kernels().Launch(Kernel::kGatherRows, {.x = shape.kept, .threads = 256},
                                   compute_.stream(), from, Index(PlacesOf(shape).kept),
                                   static_cast<int>(columns), to);
}

Status CudaEncoder::LaunchAttention(const Attention& attention, const CudaGraphs::Key& shape) {
  return compute_.kernels().Launch(
      Kernel::kAttend,
      {.x = shape.tiles,
       .y = attention.heads,
       .threads = shape.warps * 32,
       .shared_bytes = compute_.kernels().options().attention_shared_bytes()},
      compute_.stream(), qkv_.address(), Index(PlacesOf(shape).tiles),
      static_cast<int>(attention.width()), 1.0F / std::sqrt(static_cast<float>(attention.head_dim)),
      context_.address());
}

Status CudaEncoder::LaunchLayer(size_t index, const CudaGraphs::Key& shape) {
  const Attention& attention = encoder_.layers[index].attention;
  RETURN_IF_ERROR(
      compute_.Multiply(layers_[index].qkv, x_.address(), shape.rows, /*added=*/0, qkv_.address()));
  RETURN_IF_ERROR(LaunchAttention(attention, shape));
  size_t rows = shape.rows;
  CudaPointer x = x_.address();
  CudaPointer context = context_.address();
  if (index + 1 == layers_.size() && shape.kept != 0) {
    RETURN_IF_ERROR(Gather(context, attention.width(), qkv_.address(), shape));
    RETURN_IF_ERROR(Gather(x, encoder_.hidden_size, attended_.address(), shape));
    rows = shape.kept;
    context = qkv_.address();
    x = attended_.address();
  }
  const size_t row_bytes = encoder_.hidden_size * compute_.element_bytes();
  const size_t context_bytes = attention.width() * compute_.element_bytes();
  const size_t chunks = RoundUpTo(kFeedForwardRows, rows) / kFeedForwardRows;
  const size_t of_chunk = RoundUpTo(128, (rows + chunks - 1) / chunks);
  for (size_t row = 0; row < rows; row += of_chunk) {
    RETURN_IF_ERROR(LaunchAfterAttention(index, x + row * row_bytes, context + row * context_bytes,
                                         x_.address() + row * row_bytes,
                                         std::min(of_chunk, rows - row)));
  }
  return {};
}

Status CudaEncoder::LaunchAfterAttention(size_t index, CudaPointer x, CudaPointer context,
                                         CudaPointer to, size_t rows) {
  const Layer& layer = encoder_.layers[index];
  const LayerWeights& weights = layers_[index];
  const ComputeType type = compute_.type();
  const CudaPointer attended = attended_.address();
  const CudaPointer inner = inner_.address();
  RETURN_IF_ERROR(compute_.Multiply(weights.attention_output, context, rows, x, attended));
  RETURN_IF_ERROR(compute_.LayerNorm(weights.attention_norm, attended, rows, attended, type));
  RETURN_IF_ERROR(compute_.Multiply(weights.intermediate, attended, rows, /*added=*/0, inner));
  RETURN_IF_ERROR(compute_.Activate(layer.feed_forward.activation, inner,
                                    rows * layer.feed_forward.width, type));
  RETURN_IF_ERROR(compute_.Multiply(weights.output, inner, rows, attended, to));
  return compute_.LayerNorm(weights.output_norm, to, rows, to, type);
}

}  // namespace embedding
