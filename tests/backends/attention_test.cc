#include "backends/cpu/attention.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <iterator>
#include <limits>
#include <type_traits>
#include <vector>

#include "backends/each_target.h"
#include "backends/random.h"
#include "backends/team.h"

namespace embedding {
namespace {

constexpr double kEpsilon = std::numeric_limits<float>::epsilon();

// softmax(q k^T / sqrt(d)) v of one query of one head, straight from the definition, in double.
template <typename T>
std::vector<double> ReferenceRow(const std::vector<T>& qkv, size_t begin, size_t end, size_t query,
                                 size_t head, size_t heads, size_t head_dim) {
  const size_t hidden = heads * head_dim;
  const auto at = [&](size_t token, size_t part, size_t i) {
    return static_cast<double>(
        static_cast<float>(qkv[(token * 3 + part) * hidden + head * head_dim + i]));
  };
  std::vector<double> p;
  for (size_t k = begin; k < end; ++k) {
    double score = 0;
    for (size_t i = 0; i < head_dim; ++i) score += at(query, 0, i) * at(k, 1, i);
    p.push_back(score / std::sqrt(static_cast<double>(head_dim)));
  }
  const double max = *std::max_element(p.begin(), p.end());
  double sum = 0;
  for (double& x : p) sum += x = std::exp(x - max);
  std::vector<double> out(head_dim);
  for (size_t k = begin; k < end; ++k) {
    for (size_t i = 0; i < head_dim; ++i) out[i] += p[k - begin] / sum * at(k, 2, i);
  }
  return out;
}

// Compares every `step`-th query. A weighted mean of values of size `scale` by weights that sum to
// 1; each score carries the rounding of a dot product of head_dim terms. bf16 rounds the weights
// and the result to 8 bits.
template <typename T>
void ExpectMatchesReference(const std::vector<uint32_t>& offsets, size_t heads, size_t head_dim,
                            float scale, size_t step) {
  const size_t hidden = heads * head_dim;
  const std::vector<T> qkv = Random<T>(offsets.back() * 3 * hidden, 7, scale);
  std::vector<T> out(offsets.back() * hidden);
  PackedAttention(TeamOf(2), {heads, head_dim}, qkv.data(), offsets, {}, out.data());
  const double scores = scale * scale * std::sqrt(static_cast<double>(head_dim));
  double tolerance = 16 * kEpsilon * scale * (1 + scores);
  if (std::is_same_v<T, BFloat16>) tolerance += 4 * scale / 256;
  for (size_t s = 0; s + 1 < offsets.size(); ++s) {
    for (size_t q = offsets[s]; q < offsets[s + 1]; q += step) {
      for (size_t h = 0; h < heads; ++h) {
        const auto expected = ReferenceRow(qkv, offsets[s], offsets[s + 1], q, h, heads, head_dim);
        for (size_t i = 0; i < head_dim; ++i) {
          ASSERT_NEAR(static_cast<float>(out[q * hidden + h * head_dim + i]), expected[i],
                      tolerance)
              << "sequence " << s << " query " << q << " head " << h << " component " << i;
        }
      }
    }
  }
}

template <typename T>
class PackedAttentionOf : public testing::Test {};
using Types = testing::Types<float, BFloat16>;
TYPED_TEST_SUITE(PackedAttentionOf, Types);

TYPED_TEST(PackedAttentionOf, EqualsTheDefinitionForEveryShape) {
  ForEachTarget([] {
    // Lengths around the widths of vectors, panels, row groups and key blocks.
    const std::vector<uint32_t> offsets{0, 1, 3, 10, 18, 35, 68, 579, 1091, 1604};
    for (const auto& [heads, head_dim] :
         {std::pair<size_t, size_t>{2, 64}, {3, 32}, {2, 4}, {1, 80}}) {
      ExpectMatchesReference<TypeParam>(offsets, heads, head_dim, 1.0F, 13);
    }
  });
}

TYPED_TEST(PackedAttentionOf, SpansSeveralQueryAndKeyBlocks) {
  ForEachTarget([] { ExpectMatchesReference<TypeParam>({0, 1300}, 1, 64, 1.0F, 97); });
}

TYPED_TEST(PackedAttentionOf, LargeScoresDoNotOverflow) {
  ForEachTarget([] { ExpectMatchesReference<TypeParam>({0, 600}, 1, 64, 30.0F, 7); });
}

TEST(PackedAttention, ASequenceDoesNotDependOnItsNeighbours) {
  constexpr size_t kHeads = 2;
  constexpr size_t kHeadDim = 64;
  constexpr size_t kHidden = kHeads * kHeadDim;
  const std::vector<float> qkv = Random(90 * 3 * kHidden, 3);
  std::vector<float> together(90 * kHidden);
  PackedAttention(TeamOf(2), {kHeads, kHeadDim}, qkv.data(), std::vector<uint32_t>{0, 40, 61, 90},
                  {}, together.data());
  std::vector<float> alone(21 * kHidden);
  PackedAttention(TeamOf(2), {kHeads, kHeadDim}, qkv.data() + 40 * 3 * kHidden,
                  std::vector<uint32_t>{0, 21}, {}, alone.data());
  for (size_t i = 0; i < alone.size(); ++i) ASSERT_EQ(alone[i], together[40 * kHidden + i]);
}

TEST(PackedAttention, ComputesTheQueriesAloneThatAreAsked) {
  constexpr size_t kHeads = 2;
  constexpr size_t kHeadDim = 32;
  constexpr size_t kHidden = kHeads * kHeadDim;
  const std::vector<uint32_t> offsets = {0, 200, 203, 210};
  const std::vector<float> qkv = Random(210 * 3 * kHidden, 3);
  std::vector<float> all(210 * kHidden);
  PackedAttention(TeamOf(2), {kHeads, kHeadDim}, qkv.data(), offsets, {}, all.data());
  // Of the first sequence its first token, of the second none, of the third the last and two more.
  const std::vector<TokenRange> queries = {{0, 1}, {3, 3}, {4, 7}};
  constexpr size_t kTokens[] = {0, 207, 208, 209};
  std::vector<float> some(std::size(kTokens) * kHidden);
  std::vector<float> finished(some.size());
  PackedAttention(TeamOf(2), {kHeads, kHeadDim}, qkv.data(), offsets, queries, some.data(),
                  [&](size_t begin, size_t end) {
                    std::copy(some.begin() + static_cast<ptrdiff_t>(begin * kHidden),
                              some.begin() + static_cast<ptrdiff_t>(end * kHidden),
                              finished.begin() + static_cast<ptrdiff_t>(begin * kHidden));
                  });
  for (size_t row = 0; row < std::size(kTokens); ++row) {
    for (size_t i = 0; i < kHidden; ++i) {
      ASSERT_EQ(some[row * kHidden + i], all[kTokens[row] * kHidden + i]) << row << ", " << i;
    }
  }
  EXPECT_EQ(finished, some);
}

TEST(PackedAttention, TakesSequencesWithoutTokens) {
  PackedAttention<float>(TeamOf(2), {2, 32}, nullptr, std::vector<uint32_t>{0, 0}, {}, nullptr);
  const std::vector<float> qkv = Random(3 * 3 * 64, 3);
  std::vector<float> alone(3 * 64);
  PackedAttention(TeamOf(2), {2, 32}, qkv.data(), std::vector<uint32_t>{0, 3}, {}, alone.data());
  std::vector<float> together(3 * 64);
  PackedAttention(TeamOf(2), {2, 32}, qkv.data(), std::vector<uint32_t>{0, 0, 3, 3}, {},
                  together.data());
  EXPECT_EQ(together, alone);
}

}  // namespace
}  // namespace embedding
