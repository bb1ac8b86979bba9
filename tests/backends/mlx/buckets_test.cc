#include "backends/mlx/buckets.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <set>
#include <vector>

namespace embedding {
namespace {

TEST(Buckets, HoldEachTokenOfEachSequenceOnce) {
  const std::vector<uint32_t> offsets = {0, 5, 5, 21, 22, 62, 79};
  const Buckets made = MakeBuckets(offsets);
  std::vector<int32_t> rows;  // of the buckets' tokens, one bucket after the other
  std::set<size_t> members;
  for (const Bucket& bucket : made.buckets) {
    ASSERT_EQ(bucket.rows.size(), bucket.sequences * bucket.length);
    ASSERT_EQ(bucket.lengths.size(), bucket.sequences);
    ASSERT_LE(bucket.members.size(), bucket.sequences);
    for (size_t i = 0; i < bucket.members.size(); ++i) {
      const size_t s = bucket.members[i];
      EXPECT_TRUE(members.insert(s).second) << s;
      ASSERT_EQ(bucket.lengths[i], offsets[s + 1] - offsets[s]);
      for (size_t k = 0; k < bucket.lengths[i]; ++k) {
        EXPECT_EQ(bucket.rows[i * bucket.length + k], static_cast<int32_t>(offsets[s] + k));
      }
    }
    rows.insert(rows.end(), bucket.rows.begin(), bucket.rows.end());
  }
  EXPECT_EQ(members, (std::set<size_t>{0, 2, 3, 4, 5}));  // 1 is empty
  ASSERT_EQ(made.places.size(), 79U);
  for (size_t row = 0; row < made.places.size(); ++row) {
    EXPECT_EQ(rows.at(static_cast<size_t>(made.places[row])), static_cast<int32_t>(row));
  }
}

TEST(Buckets, AreMixedWhereSomeTokensAreNone) {
  const std::vector<uint32_t> equal = {0, 16, 32};
  EXPECT_FALSE(MakeBuckets(equal).buckets.at(0).is_mixed());
  const std::vector<uint32_t> shorter = {0, 16, 31};
  EXPECT_TRUE(MakeBuckets(shorter).buckets.at(0).is_mixed());
}

// As many graphs as sizes are kept.
TEST(Buckets, SizesAreFewAndNotMuchLarger) {
  std::set<size_t> coarse;
  std::set<size_t> fine;
  for (size_t n = 1; n <= 8192; ++n) {
    coarse.insert(RoundUpCoarsely(n));
    fine.insert(RoundUpFinely(n));
    ASSERT_GE(RoundUpCoarsely(n), n);
    ASSERT_LE(RoundUpCoarsely(n), n + n / 4 + 1);
    ASSERT_GE(RoundUpFinely(n), n);
    ASSERT_LE(RoundUpFinely(n), n + std::max<size_t>(n / 8, 63));
  }
  EXPECT_LE(coarse.size(), 4U * 14);
  EXPECT_LE(fine.size(), 8U * 8);
}

}  // namespace
}  // namespace embedding
