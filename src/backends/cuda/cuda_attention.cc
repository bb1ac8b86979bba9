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

}  // namespace

size_t RelativeDistanceOf(const Encoder& encoder) {
  return encoder.relative_bias ? encoder.relative_bias->max_distance : 0;
}

Result<std::unique_ptr<CudaAttention>> CudaAttention::Load(CudaCompute& compute,
                                                           const Encoder& encoder,
                                                           const EncoderTensors& tensors) {
  std::unique_ptr<CudaAttention> made(new CudaAttention(compute, encoder));
  RETURN_IF_ERROR(made->LoadRopes());
  if (tensors.relative_bias) RETURN_IF_ERROR(made->LoadBias(*tensors.relative_bias));
  return made;
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

Result<bool> CudaAttention::Reserve(size_t rows) {
  bool has_room = true;
  for (SharedRope& rope : ropes_) {
    const size_t bytes = rows * rope.rope.rotated() * sizeof(float);
    has_room &= bytes <= rope.turns.bytes();
    RETURN_IF_ERROR(rope.turns.Reserve(bytes));
  }
  return has_room;
}

void CudaAttention::FreeBuffers() {
  for (SharedRope& rope : ropes_) rope.turns.Free();
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
  const auto prepare = [&](size_t first, size_t heads, const std::optional<CudaNorm>& norm,
                           const SharedRope* rotates) -> Status {
    if (!norm && rotates == nullptr) return {};
    Grid grid = OneWarpARow(rows * heads);
    grid.shared_bytes = grid.threads / 32 * attention.head_dim * sizeof(float);
    return compute_.kernels().Launch(
        Kernel::kPrepareHeads, grid, compute_.stream(), qkv, static_cast<int>(rows),
        static_cast<int>(attention.qkv_width()), static_cast<int>(first), static_cast<int>(heads),
        static_cast<int>(norm.has_value()), norm ? static_cast<int>(norm->norm.kind) : 0,
        norm ? norm->weight.address() : 0, norm ? norm->bias.address() : 0,
        norm ? norm->norm.eps : 0.0F, rotates != nullptr ? rotates->turns.address() : 0,
        rotates != nullptr ? static_cast<int>(rotates->rope.frequencies.size()) : 0,
        static_cast<int>(rotates != nullptr && rotates->rope.interleaved));
  };
  const size_t keys = attention.width();
  RETURN_IF_ERROR(prepare(0, attention.heads, norms.query, rope));
  RETURN_IF_ERROR(prepare(keys, attention.kv_heads, norms.key, rope));
  return prepare(keys + attention.kv_width(), attention.kv_heads, norms.value, nullptr);
}

Status CudaAttention::Attend(size_t layer, CudaPointer qkv, CudaPointer tiles, size_t tile_count,
                             size_t warps, CudaPointer context) const {
  const Attention& attention = encoder_.layers[layer].attention;
  const int window =
      attention.window
          ? static_cast<int>(std::min<size_t>(*attention.window, static_cast<size_t>(kEverywhere)))
          : kEverywhere;
  return compute_.kernels().Launch(
      Kernel::kAttend,
      {.x = tile_count,
       .y = attention.heads,
       .threads = warps * 32,
       .shared_bytes = compute_.kernels().options().attention_shared_bytes()},
      compute_.stream(), qkv, tiles, static_cast<int>(attention.heads),
      static_cast<int>(attention.kv_heads), attention.scale, window, attention.causal ? 0 : window,
      bias_.address(), context);
}

}  // namespace embedding
