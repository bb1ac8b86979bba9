#include "backends/cuda/attention_tiles.h"

#include <gtest/gtest.h>

#include <cstdint>
#include <map>
#include <vector>

namespace embedding {
namespace {

TEST(AttentionTiles, HoldEachQueryOfEachSequenceOnce) {
  const std::vector<uint32_t> offsets = {0, 5, 5, 133, 134, 390, 519};
  std::vector<AttentionTile> tiles;
  MakeAttentionTiles(offsets, 128, tiles);
  std::map<int32_t, std::vector<bool>> has;  // of each sequence, by its first row
  for (const AttentionTile& tile : tiles) {
    auto& queries = has[tile.first_row];
    queries.resize(static_cast<size_t>(tile.length));
    ASSERT_LT(tile.first_query, tile.length);
    for (int32_t i = tile.first_query; i < std::min(tile.first_query + 128, tile.length); ++i) {
      EXPECT_FALSE(queries[static_cast<size_t>(i)]);
      queries[static_cast<size_t>(i)] = true;
    }
  }
  const std::map<int32_t, std::vector<bool>> all = {{0, std::vector<bool>(5, true)},
                                                    {5, std::vector<bool>(128, true)},
                                                    {133, std::vector<bool>(1, true)},
                                                    {134, std::vector<bool>(256, true)},
                                                    {390, std::vector<bool>(129, true)}};
  EXPECT_EQ(has, all);
}

}  // namespace
}  // namespace embedding
