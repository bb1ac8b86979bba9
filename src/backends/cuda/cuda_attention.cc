#include "backends/cuda/cuda_attention.h"

#include <algorithm>
#include <numbers>
#include <optional>
#include <utility>

#include "backends/relative_bucket.h"

namespace embedding {
namespace {

// The kernels have these numbers: kernels/rows.cu.
static_assert(static_cast<int>(NormKind::kLayer) == 0 && static_cast<int>(NormKind::kRms) == 1);

// Farther than any token is.
constexpr int kEverywhere = 1 << 30;

size_t PositionsOf(const Encoder& encoder) {
  return encoder.disentangled ? 2 * encoder.disentangled->span : 0;
}

size_t RelativeDistanceOf(const Encoder& encoder) {
  return encoder.relative_bias ? encoder.relative_bias->max_distance : 0;
}

}  // namespace

KernelOptions KernelOptionsOf(const Encoder& encoder, ComputeType type) {
  KernelOptions options = {.type = type,
                           .hidden_size = encoder.hidden_size,
                           .embedding_size = encoder.embedding_size,
                           // Without layers any size is as good as another.
                           .head_dim = 16,
                           .relative_distance = RelativeDistanceOf(encoder),
                           .positions = PositionsOf(encoder)};
  if (!encoder.layers.empty()) options.head_dim = encoder.layers.front().attention.head_dim;
  for (const Layer& layer : encoder.layers)
    options.sees_part |= layer.attention.causal || layer.attention.window;
  return options;
}

Result<std::unique_ptr<CudaAttention>> CudaAttention::Load(CudaCompute& compute,
                                                           const Encoder& encoder,
                                                           const EncoderTensors& tensors) {
  std::unique_ptr<CudaAttention> made(new CudaAttention(compute, encoder));
  RETURN_IF_ERROR(made->LoadHeadSizes());
  RETURN_IF_ERROR(made->LoadRopes());
  if (tensors.relative_bias) RETURN_IF_ERROR(made->LoadBias(*tensors.relative_bias));
  if (encoder.disentangled) RETURN_IF_ERROR(made->LoadPlaces(*encoder.disentangled));
  return made;
}

Status CudaAttention::LoadHeadSizes() {
  for (const Layer& layer : encoder_.layers) {
    const size_t head_dim = layer.attention.head_dim;
    const auto known = std::ranges::find_if(sizes_, [head_dim](const HeadSize& size) {
      return size.kernels->options().head_dim == head_dim;
    });
    size_of_layer_.push_back(static_cast<size_t>(known - sizes_.begin()));
    if (known != sizes_.end()) continue;
    HeadSize size = {&compute_.kernels(), nullptr, {}};
    KernelOptions options = compute_.kernels().options();
    if (options.head_dim != head_dim) {
      options.head_dim = head_dim;
      ASSIGN_OR_RETURN(size.own, CudaKernels::Load(compute_.shared_device(), options));
      size.kernels = size.own.get();
    }
    sizes_.push_back(std::move(size));
  }
  return {};
}

size_t CudaAttention::MakeTiles(std::span<const uint32_t> offsets, size_t warps) {
  size_t most = 0;
  for (HeadSize& size : sizes_) {
    MakeAttentionTiles(offsets, warps * size.kernels->options().warp_queries(), size.tiles);
    most = std::max(most, size.tiles.size());
  }
  return most;
}

void CudaAttention::CopyTiles(AttentionTile* to, size_t count) const {
  for (const HeadSize& size : sizes_) {
    std::fill(std::ranges::copy(size.tiles, to).out, to + count, AttentionTile{});
    to += count;
  }
}

Status CudaAttention::LoadRopes() {
  for (const Layer& layer : encoder_.layers) {
    const std::optional<Rope>& rope = layer.attention.rope;
    const auto known =
        std::ranges::find_if(ropes_, [&](const SharedRope& each) { return each.rope == rope; });
    rope_of_layer_.push_back(static_cast<size_t>(known - ropes_.begin()));
    if (!rope || known != ropes_.end()) continue;
    SharedRope shared = {*rope, compute_.DeviceBuffer(), compute_.DeviceBuffer()};
    const std::vector<float>& frequencies = rope->frequencies;
    RETURN_IF_ERROR(shared.frequencies.Reserve(frequencies.size() * sizeof(float)));
    RETURN_IF_ERROR(compute_.Put(frequencies, shared.frequencies.address(), ComputeType::kF32));
    ropes_.push_back(std::move(shared));
  }
  for (size_t i = 0; i < encoder_.layers.size(); ++i) {
    if (!encoder_.layers[i].attention.rope) rope_of_layer_[i] = ropes_.size();
  }
  return {};
}

Status CudaAttention::LoadBias(const TensorView& by_bucket) {
  const RelativeBias& bias = *encoder_.relative_bias;
  const size_t heads = encoder_.layers.front().attention.heads;
  const auto farthest = static_cast<ptrdiff_t>(RelativeDistanceOf(encoder_));
  std::vector<float> buckets(by_bucket.elements());  // [buckets, heads]
  CopyToF32(by_bucket, buckets);
  std::vector<float> numbers;
  for (size_t head = 0; head < heads; ++head) {
    for (ptrdiff_t distance = -farthest; distance <= farthest; ++distance) {
      numbers.push_back(buckets[RelativeBucket(bias, distance) * heads + head] *
                        std::numbers::log2e_v<float>);
    }
  }
  RETURN_IF_ERROR(bias_.Reserve(numbers.size() * sizeof(float)));
  return compute_.Put(numbers, bias_.address(), ComputeType::kF32);
}

Status CudaAttention::LoadPlaces(const Disentangled& disentangled) {
  const size_t last = PositionsOf(encoder_) - 1;
  const auto farthest = static_cast<ptrdiff_t>(encoder_.max_tokens);
  ptrdiff_t reach = 1;
  while (reach < farthest &&
         (RelativePlace(disentangled, reach) != last || RelativePlace(disentangled, -reach) != 0)) {
    ++reach;
  }
  std::vector<int32_t> places;
  for (ptrdiff_t distance = -reach; distance <= reach; ++distance)
    places.push_back(static_cast<int32_t>(RelativePlace(disentangled, distance)));
  reach_ = static_cast<size_t>(reach);
  const size_t bytes = places.size() * sizeof(int32_t);
  RETURN_IF_ERROR(places_.Reserve(bytes));
  RETURN_IF_ERROR(compute_.CopyToDevice(places_.address(), places.data(), bytes));
  return compute_.Synchronize();
}

Result<bool> CudaAttention::Reserve(size_t rows) {
  bool has_room = true;
  if (const auto& disentangled = encoder_.disentangled) {
    const size_t bytes = rows * encoder_.layers.front().attention.heads * PositionsOf(encoder_) *
                         compute_.element_bytes();
    for (const auto& [is_used, buffer] :
         {std::pair(disentangled->content_to_position, &of_queries_),
          std::pair(disentangled->position_to_content, &of_keys_)}) {
      if (!is_used) continue;
      has_room &= bytes <= buffer->bytes();
      RETURN_IF_ERROR(buffer->Reserve(bytes));
    }
  }
  for (SharedRope& rope : ropes_) {
    const size_t bytes = rows * rope.rope.rotated() * sizeof(float);
    has_room &= bytes <= rope.turns.bytes();
    RETURN_IF_ERROR(rope.turns.Reserve(bytes));
  }
  return has_room;
}

void CudaAttention::FreeBuffers() {
  for (SharedRope& rope : ropes_) rope.turns.Free();
  of_queries_.Free();
  of_keys_.Free();
}

Status CudaAttention::Turn(CudaPointer places, size_t rows) const {
  constexpr size_t kThreads = 256;
  for (const SharedRope& shared : ropes_) {
    const size_t pairs = shared.rope.frequencies.size();
    RETURN_IF_ERROR(compute_.kernels().Launch(
        Kernel::kTurn, {.x = (rows * pairs + kThreads - 1) / kThreads, .threads = kThreads},
        compute_.stream(), places, shared.frequencies.address(), static_cast<int>(rows),
        static_cast<int>(pairs), shared.rope.factor, shared.turns.address()));
  }
  return {};
}

Status CudaAttention::PrepareHeads(size_t layer, const CudaHeadNorms& norms, CudaPointer qkv,
                                   size_t rows) const {
  const Attention& attention = encoder_.layers[layer].attention;
  const SharedRope* const rope = attention.rope ? &ropes_[rope_of_layer_[layer]] : nullptr;
  if (rope == nullptr && !norms.query && !norms.key && !norms.value) return {};
  // As in kernels/rotary.cu.
  struct HeadNorm {
    int normalizes = 0;
    int kind = 0;
    CudaPointer weight = 0;
    CudaPointer bias = 0;
    float eps = 0;
  };
  const auto of = [](const std::optional<CudaNorm>& norm) -> HeadNorm {
    if (!norm) return {};
    return {1, static_cast<int>(norm->norm.kind), norm->weight.address(), norm->bias.address(),
            norm->norm.eps};
  };
  const size_t heads = attention.heads + attention.kv_heads * (norms.value ? 2 : 1);
  Grid grid = OneWarpARow(rows * heads);
  grid.shared_bytes = grid.threads / 32 * attention.head_dim * sizeof(float);
  return sizes_[size_of_layer_[layer]].kernels->Launch(
      Kernel::kPrepareHeads, grid, compute_.stream(), qkv, static_cast<int>(rows),
      static_cast<int>(attention.heads), static_cast<int>(attention.kv_heads), of(norms.query),
      of(norms.key), of(norms.value), rope != nullptr ? rope->turns.address() : 0,
      rope != nullptr ? static_cast<int>(rope->rope.frequencies.size()) : 0,
      static_cast<int>(rope != nullptr && rope->rope.interleaved));
}

Status CudaAttention::MultiplyPositions(const Attention& attention, const CudaBuffer& positions,
                                        CudaPointer qkv, size_t column, size_t rows,
                                        CudaBuffer& to) {
  if (positions.bytes() == 0) return {};
  const size_t count = PositionsOf(encoder_);
  const size_t bytes = compute_.element_bytes();
  for (size_t head = 0; head < attention.heads; ++head) {
    const size_t at = head * attention.head_dim * bytes;
    RETURN_IF_ERROR(compute_.products().Run(
        {positions.address() + at, attention.head_dim, attention.width()},
        {qkv + column * bytes + at, attention.head_dim, attention.qkv_width()}, rows,
        {to.address() + head * count * bytes, count, attention.heads * count}, compute_.type(),
        compute_.stream()));
  }
  return {};
}

Status CudaAttention::Attend(size_t layer, const CudaLayerWeights& weights, CudaPointer qkv,
                             size_t rows, const Tiles& tiles, CudaPointer context) {
  const Attention& attention = encoder_.layers[layer].attention;
  RETURN_IF_ERROR(PrepareHeads(layer, weights.head_norms, qkv, rows));
  RETURN_IF_ERROR(MultiplyPositions(attention, weights.positions.keys, qkv, 0, rows, of_queries_));
  RETURN_IF_ERROR(MultiplyPositions(attention, weights.positions.queries, qkv, attention.width(),
                                    rows, of_keys_));
  const int window =
      attention.window
          ? static_cast<int>(std::min<size_t>(*attention.window, static_cast<size_t>(kEverywhere)))
          : kEverywhere;
  const size_t size = size_of_layer_[layer];
  const CudaKernels& kernels = *sizes_[size].kernels;
  return kernels.Launch(
      Kernel::kAttend,
      {.x = tiles.count,
       .y = attention.heads,
       .threads = tiles.warps * 32,
       .shared_bytes = kernels.options().attention_shared_bytes()},
      compute_.stream(), qkv, tiles.first + size * tiles.count * sizeof(AttentionTile),
      static_cast<int>(attention.heads), static_cast<int>(attention.kv_heads), attention.scale,
      window, attention.causal ? 0 : window, bias_.address(), of_queries_.address(),
      of_keys_.address(), places_.address(), static_cast<int>(reach_), context);
}

}  // namespace embedding
