#include "backends/cpu/disentangled.h"

#include <algorithm>
#include <bit>

#include "backends/cpu/panel_linear.h"
#include "backends/relative_bucket.h"

namespace embedding {

std::vector<std::unique_ptr<Linear>> PackPositions(ThreadTeam& team, const Attention& attention,
                                                   DType between, std::span<const float> numbers) {
  const size_t width = attention.width();
  const size_t head_dim = attention.head_dim;
  const size_t positions = numbers.size() / width;
  std::vector<std::unique_ptr<Linear>> packed;
  AlignedBuffer<float> of_head(positions * head_dim);
  for (size_t head = 0; head < attention.heads; ++head) {
    for (size_t p = 0; p < positions; ++p) {
      std::copy_n(numbers.data() + p * width + head * head_dim, head_dim,
                  of_head.data() + p * head_dim);
    }
    // By panels, which take rows that lie apart.
    packed.push_back(PackPanelLinear(team, {between, DType::kF32},
                                     {of_head.span(), {}, head_dim, positions},
                                     Activation::kIdentity));
  }
  return packed;
}

void DisentangledScores::Reserve(size_t tokens) {
  if (places_.size() > 2 * tokens) return;
  const auto reach = static_cast<ptrdiff_t>(std::bit_ceil(tokens));
  std::vector<uint32_t> places;
  for (ptrdiff_t distance = -reach; distance <= reach; ++distance) {
    places.push_back(static_cast<uint32_t>(RelativePlace(disentangled_, distance)));
  }
  places_ = std::move(places);
}

PositionScores DisentangledScores::Compute(const RelativePositions& positions,
                                           const Attention& attention, const void* qkv,
                                           DType between, size_t tokens) {
  const size_t count = 2 * disentangled_.span;
  const size_t bytes = DTypeBytes(between);
  PositionScores scores;
  scores.tokens = tokens;
  scores.positions = count;
  scores.places = places_.data();
  scores.reach = places_.size() / 2;
  // `column`: of a row of qkv, where the heads' numbers begin.
  const auto multiply = [&](const std::vector<std::unique_ptr<Linear>>& by_head, size_t column,
                            AlignedBuffer<float>& to) -> const float* {
    if (by_head.empty() || tokens == 0) return nullptr;
    to.Resize(by_head.size() * tokens * count);
    for (size_t head = 0; head < by_head.size(); ++head) {
      const auto* const from =
          static_cast<const uint8_t*>(qkv) + (column + head * attention.head_dim) * bytes;
      by_head[head]->Run({from, tokens, attention.qkv_width() * bytes, nullptr},
                         {to.data() + head * tokens * count, tokens, count}, {});
    }
    return to.data();
  };
  scores.of_queries = multiply(positions.keys, 0, of_queries_);
  scores.of_keys = multiply(positions.queries, attention.width(), of_keys_);
  return scores;
}

}  // namespace embedding
