#include "backends/mlx/mlx_head_preparation.h"

#include <mlx/mlx.h>

#include <algorithm>
#include <vector>

namespace embedding {

namespace mx = mlx::core;

namespace {

int Int(size_t n) { return static_cast<int>(n); }

// Of Disentangled: the embeddings of the relative positions by `projection`,
// [heads, head_dim, positions].
mx::array ProjectPositions(const Attention& attention, const mx::array& embeddings,
                           const LinearTensors& projection, mx::Dtype dtype) {
  const mx::array projected = LoadLinear(projection, mx::float32)(embeddings);
  const mx::array by_head =
      mx::reshape(projected, {projected.shape(0), Int(attention.heads), Int(attention.head_dim)});
  mx::array made = mx::contiguous(mx::astype(mx::transpose(by_head, {1, 2, 0}), dtype));
  made.eval();
  return made;
}

void LoadPositions(const Attention& attention, const Disentangled& disentangled,
                   const EncoderTensors& tensors, const LayerTensors& of_layer, mx::Dtype dtype,
                   MlxHeadPreparation& made) {
  mx::array embeddings = ToArray(*tensors.relative_embeddings, mx::float32);
  if (const auto norm = LoadNorm(tensors.relative_norm, disentangled.norm, mx::float32))
    embeddings = (*norm)(embeddings);
  if (disentangled.content_to_position) {
    made.position_keys = ProjectPositions(attention, embeddings,
                                          of_layer.position_key.value_or(of_layer.key), dtype);
  }
  if (disentangled.position_to_content) {
    made.position_queries = ProjectPositions(
        attention, embeddings, of_layer.position_query.value_or(of_layer.query), dtype);
  }
}

}  // namespace

MlxHeadPreparation LoadHeadPreparation(const Attention& attention, const Encoder& encoder,
                                       const EncoderTensors& tensors, const LayerTensors& of_layer,
                                       mx::Dtype dtype) {
  MlxHeadPreparation made;
  made.query_norm = LoadNorm(of_layer.query_norm, attention.query_norm, dtype);
  made.key_norm = LoadNorm(of_layer.key_norm, attention.key_norm, dtype);
  made.value_norm = LoadNorm(std::nullopt, attention.value_norm, dtype);
  if (encoder.disentangled)
    LoadPositions(attention, *encoder.disentangled, tensors, of_layer, dtype, made);
  if (!attention.rope) return made;
  std::vector<float> periods;
  for (const float frequency : attention.rope->frequencies) periods.push_back(1 / frequency);
  made.rope_periods = mx::array(periods.begin(), {Int(periods.size())});
  made.rope_periods->eval();
  if (attention.rope->factor == 1) return made;
  std::vector<float> factors(attention.head_dim, 1.0F);
  std::fill_n(factors.begin(), attention.rope->rotated(), attention.rope->factor);
  made.rope_factors = mx::astype(mx::array(factors.begin(), {Int(factors.size())}), dtype);
  made.rope_factors->eval();
  return made;
}

mx::array Prepared(const mx::array& heads, const std::optional<MlxNorm>& norm,
                   const Attention& attention, const MlxHeadPreparation& preparation) {
  mx::array prepared = norm ? (*norm)(heads) : heads;
  if (!attention.rope) return prepared;
  prepared = mx::fast::rope(prepared, Int(attention.rope->rotated()), attention.rope->interleaved,
                            std::nullopt, 1.0F, 0, preparation.rope_periods);
  return preparation.rope_factors ? prepared * *preparation.rope_factors : prepared;
}

}  // namespace embedding
