#include "backends/cpu/attention.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <initializer_list>
#include <iterator>
#include <limits>
#include <span>
#include <type_traits>
#include <vector>

#include "backends/each_target.h"
#include "backends/random.h"
#include "backends/team.h"

namespace embedding {
namespace {

constexpr double kEpsilon = std::numeric_limits<float>::epsilon();

Attention Of(size_t heads, size_t head_dim) {
  Attention attention;
  attention.heads = attention.kv_heads = heads;
  attention.head_dim = head_dim;
  attention.scale = 1 / std::sqrt(static_cast<float>(head_dim));
  return attention;
}

template <typename T>
void Attend(const Attention& attention, const T* qkv, const std::vector<uint32_t>& offsets, T* out,
            std::span<const TokenRange> queries = {}, const RowEpilogue& epilogue = {},
            const ScoreTerms& terms = {}) {
  PackedAttention(TeamOf(2), attention, terms, qkv, offsets, queries, out, epilogue);
}

bool Sees(const Attention& attention, size_t query, size_t key) {
  if (attention.causal && key > query) return false;
  const size_t distance = key > query ? key - query : query - key;
  return !attention.window || distance <= *attention.window;
}

// softmax(scale * q k^T + bias) v of one query of one head over the keys that it sees, straight
// from the definition, in double.
template <typename T>
std::vector<double> ReferenceRow(const Attention& attention, const ScoreTerms& terms,
                                 const std::vector<T>& qkv, size_t begin, size_t end, size_t query,
                                 size_t head) {
  const size_t head_dim = attention.head_dim;
  const size_t kv_head = head / (attention.heads / attention.kv_heads);
  const auto at = [&](size_t token, size_t column, size_t i) {
    return static_cast<double>(
        static_cast<float>(qkv[token * attention.qkv_width() + column * head_dim + i]));
  };
  std::vector<double> p(end - begin, -std::numeric_limits<double>::infinity());
  for (size_t k = begin; k < end; ++k) {
    if (!Sees(attention, query, k)) continue;
    double score = 0;
    for (size_t i = 0; i < head_dim; ++i) {
      score += at(query, head, i) * at(k, attention.heads + kv_head, i);
    }
    if (!terms.positions.empty()) score += static_cast<double>(terms.positions.of(head, query, k));
    p[k - begin] = score * static_cast<double>(attention.scale);
    if (terms.bias.empty()) continue;
    p[k - begin] += *terms.bias.of(head, static_cast<ptrdiff_t>(k) - static_cast<ptrdiff_t>(query));
  }
  const double max = *std::max_element(p.begin(), p.end());
  double sum = 0;
  for (double& x : p) sum += x = std::exp(x - max);
  std::vector<double> out(head_dim);
  for (size_t k = begin; k < end; ++k) {
    for (size_t i = 0; i < head_dim; ++i) {
      out[i] += p[k - begin] / sum * at(k, attention.heads + attention.kv_heads + kv_head, i);
    }
  }
  return out;
}

// Compares every `step`-th query. A weighted mean of values of size `magnitude` by weights that sum
// to 1; each score carries the rounding of a dot product of head_dim terms. bf16 rounds the weights
// and the result to 8 bits.
template <typename T>
void ExpectMatchesReference(const std::vector<uint32_t>& offsets, const Attention& attention,
                            float magnitude, size_t step, const ScoreTerms& terms = {}) {
  const size_t head_dim = attention.head_dim;
  const size_t width = attention.width();
  const std::vector<T> qkv = Random<T>(offsets.back() * attention.qkv_width(), 7, magnitude);
  std::vector<T> out(offsets.back() * width);
  Attend(attention, qkv.data(), offsets, out.data(), {}, {}, terms);
  const double scores = magnitude * magnitude * std::sqrt(static_cast<double>(head_dim));
  double tolerance = 16 * kEpsilon * magnitude * (1 + scores);
  if (std::is_same_v<T, BFloat16>) tolerance += 4 * magnitude / 256;
  for (size_t s = 0; s + 1 < offsets.size(); ++s) {
    for (size_t q = offsets[s]; q < offsets[s + 1]; q += step) {
      for (size_t h = 0; h < attention.heads; ++h) {
        const auto expected = ReferenceRow(attention, terms, qkv, offsets[s], offsets[s + 1], q, h);
        for (size_t i = 0; i < head_dim; ++i) {
          ASSERT_NEAR(static_cast<float>(out[q * width + h * head_dim + i]), expected[i], tolerance)
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
      ExpectMatchesReference<TypeParam>(offsets, Of(heads, head_dim), 1.0F, 13);
    }
  });
}

TYPED_TEST(PackedAttentionOf, SpansSeveralQueryAndKeyBlocks) {
  ForEachTarget([] {
    for (const size_t head_dim : std::initializer_list<size_t>{64, 56, 128}) {
      ExpectMatchesReference<TypeParam>({0, 1300, 2750}, Of(1, head_dim), 1.0F, 197);
    }
  });
}

TYPED_TEST(PackedAttentionOf, LargeScoresDoNotOverflow) {
  ForEachTarget([] { ExpectMatchesReference<TypeParam>({0, 600}, Of(1, 64), 30.0F, 7); });
}

TYPED_TEST(PackedAttentionOf, HeadsShareTheirKeys) {
  ForEachTarget([] {
    Attention attention = Of(6, 16);
    attention.kv_heads = 2;
    // One sequence of few tokens: each head by itself; several: heads together.
    for (const std::vector<uint32_t>& offsets :
         {std::vector<uint32_t>{0, 20}, {0, 1, 30, 61, 700, 1200}}) {
      ExpectMatchesReference<TypeParam>(offsets, attention, 1.0F, 13);
    }
  });
}

TYPED_TEST(PackedAttentionOf, ATokenSeesNoneAfterIt) {
  ForEachTarget([] {
    Attention attention = Of(4, 32);
    attention.kv_heads = 2;
    attention.causal = true;
    ExpectMatchesReference<TypeParam>({0, 1, 3, 68, 1200}, attention, 1.0F, 11);
  });
}

TYPED_TEST(PackedAttentionOf, ATokenSeesThoseOfItsWindow) {
  ForEachTarget([] {
    for (const bool causal : {false, true}) {
      for (const size_t window : std::initializer_list<size_t>{0, 1, 16, 64, 600}) {
        Attention attention = Of(2, 16);
        attention.causal = causal;
        attention.window = window;
        ExpectMatchesReference<TypeParam>({0, 1, 3, 68, 1300}, attention, 1.0F, 7);
      }
    }
  });
}

// What another sequence has left where rows are packed reaches none of the words that fill up
// theirs.
TYPED_TEST(PackedAttentionOf, ASequenceAfterOneOfNoNumbersIsWhatItIsAlone) {
  ForEachTarget([] {
    for (const size_t head_dim : std::initializer_list<size_t>{8, 64}) {
      const Attention attention = Of(2, head_dim);
      const size_t width = attention.width();
      constexpr size_t kFlawed = 600;
      constexpr size_t kTokens = 21;
      std::vector<TypeParam> qkv = Random<TypeParam>((kFlawed + kTokens) * 3 * width, 3);
      const auto own = qkv.begin() + static_cast<ptrdiff_t>(kFlawed * 3 * width);
      std::vector<TypeParam> alone(kTokens * width);
      Attend(attention, &*own, {0, kTokens}, alone.data());
      std::fill(qkv.begin(), own, static_cast<TypeParam>(std::numeric_limits<float>::quiet_NaN()));
      std::vector<TypeParam> together((kFlawed + kTokens) * width);
      PackedAttention(TeamOf(1), attention, {}, qkv.data(),
                      std::vector<uint32_t>{0, kFlawed, kFlawed + kTokens}, {}, together.data(),
                      {});
      for (size_t i = 0; i < alone.size(); ++i) {
        ASSERT_EQ(static_cast<float>(together[kFlawed * width + i]), static_cast<float>(alone[i]))
            << i;
      }
    }
  });
}

// What is no number must not become one on its way, in a short sequence as in a long one.
TYPED_TEST(PackedAttentionOf, OfAValueThatIsNoNumberNoneIsMade) {
  ForEachTarget([] {
    const Attention attention = Of(1, 64);
    for (const uint32_t tokens : {20U, 1400U}) {
      std::vector<TypeParam> qkv = Random<TypeParam>(tokens * attention.qkv_width(), 3);
      constexpr size_t kFlawed = 7;  // token, and component
      qkv[kFlawed * attention.qkv_width() + 2 * 64 + kFlawed] =
          static_cast<TypeParam>(std::numeric_limits<float>::quiet_NaN());
      std::vector<TypeParam> out(tokens * attention.width());
      Attend(attention, qkv.data(), {0, tokens}, out.data());
      for (size_t t = 0; t < tokens; ++t) {
        ASSERT_TRUE(std::isnan(static_cast<float>(out[t * 64 + kFlawed]))) << t;
      }
    }
  });
}

// A token of zeros alone sees all keys alike.
TYPED_TEST(PackedAttentionOf, ZerosAverageWhatTheySee) {
  ForEachTarget([] {
    const Attention attention = Of(1, 64);
    constexpr uint32_t kTokens = 1401;
    std::vector<TypeParam> qkv = Random<TypeParam>(kTokens * attention.qkv_width(), 3);
    std::fill_n(qkv.begin(), 64, static_cast<TypeParam>(0.0F));
    std::vector<TypeParam> out(kTokens * attention.width());
    Attend(attention, qkv.data(), {0, kTokens}, out.data());
    const auto expected = ReferenceRow(attention, {}, qkv, 0, kTokens, 0, 0);
    for (size_t i = 0; i < 64; ++i) {
      ASSERT_NEAR(static_cast<float>(out[i]), expected[i], 2e-4) << i;
    }
  });
}

TYPED_TEST(PackedAttentionOf, AddsABiasByDistance) {
  constexpr size_t kReach = 700;
  const std::vector<float> numbers = Random(2 * (2 * kReach + 1), 5);
  const ScoreBias bias = {numbers.data(), kReach};
  ForEachTarget([&] {
    for (const float scale : {1.0F, 0.25F}) {
      Attention attention = Of(2, 16);
      attention.scale = scale;
      ExpectMatchesReference<TypeParam>({0, 1, 3, 68, 690}, attention, 1.0F, 7, {.bias = bias});
    }
  });
}

TYPED_TEST(PackedAttentionOf, AddsScoresOfPositions) {
  constexpr size_t kTokens = 690;
  constexpr size_t kPositions = 40;
  const std::vector<float> of_queries = Random(2 * kTokens * kPositions, 5);
  const std::vector<float> of_keys = Random(2 * kTokens * kPositions, 6);
  std::vector<uint32_t> places;
  for (uint32_t i = 0; i <= 2 * kTokens; ++i) places.push_back(i * 7 % kPositions);
  ScoreTerms terms;
  terms.positions = {of_queries.data(), of_keys.data(), kTokens,
                     kPositions,        places.data(),  kTokens};
  ForEachTarget([&] {
    ExpectMatchesReference<TypeParam>({0, 1, 3, 68, kTokens}, Of(2, 16), 1.0F, 7, terms);
  });
}

TYPED_TEST(PackedAttentionOf, WhatIsSeenDoesNotDependOnWhoElseAsks) {
  Attention attention = Of(2, 32);
  attention.window = 20;
  const std::vector<uint32_t> offsets = {0, 700};
  const std::vector<TypeParam> qkv = Random<TypeParam>(700 * attention.qkv_width(), 3);
  std::vector<TypeParam> all(700 * attention.width());
  Attend(attention, qkv.data(), offsets, all.data());
  for (const uint32_t query : {0U, 19U, 511U, 512U, 530U, 699U}) {
    std::vector<TypeParam> alone(attention.width());
    const std::vector<TokenRange> queries = {{query, query + 1}};
    Attend(attention, qkv.data(), offsets, alone.data(), queries);
    for (size_t i = 0; i < alone.size(); ++i) {
      ASSERT_EQ(static_cast<float>(alone[i]), static_cast<float>(all[query * alone.size() + i]))
          << query << ", " << i;
    }
  }
}

TYPED_TEST(PackedAttentionOf, ASequenceDoesNotDependOnItsNeighbours) {
  constexpr size_t kHeads = 2;
  constexpr size_t kHeadDim = 64;
  constexpr size_t kHidden = kHeads * kHeadDim;
  const Attention attention = Of(kHeads, kHeadDim);
  for (const uint32_t tokens : {21U, 1101U}) {
    const uint32_t all = 40 + tokens + 29;
    const std::vector<TypeParam> qkv = Random<TypeParam>(all * 3 * kHidden, 3);
    std::vector<TypeParam> together(all * kHidden);
    Attend(attention, qkv.data(), {0, 40, 40 + tokens, all}, together.data());
    std::vector<TypeParam> alone(tokens * kHidden);
    Attend(attention, qkv.data() + 40 * 3 * kHidden, {0, tokens}, alone.data());
    for (size_t i = 0; i < alone.size(); ++i) {
      ASSERT_EQ(static_cast<float>(alone[i]), static_cast<float>(together[40 * kHidden + i]));
    }
  }
}

TYPED_TEST(PackedAttentionOf, ComputesTheQueriesAloneThatAreAsked) {
  constexpr size_t kHeads = 2;
  constexpr size_t kHeadDim = 64;
  constexpr size_t kHidden = kHeads * kHeadDim;
  const std::vector<uint32_t> offsets = {0, 1200, 1203, 1210};
  const std::vector<TypeParam> qkv = Random<TypeParam>(1210 * 3 * kHidden, 3);
  std::vector<TypeParam> all(1210 * kHidden);
  Attend(Of(kHeads, kHeadDim), qkv.data(), offsets, all.data());
  // Of the first sequence its first token, of the second none, of the third the last and two more.
  const std::vector<TokenRange> queries = {{0, 1}, {3, 3}, {4, 7}};
  constexpr size_t kTokens[] = {0, 1207, 1208, 1209};
  std::vector<TypeParam> some(std::size(kTokens) * kHidden);
  std::vector<TypeParam> finished(some.size());
  Attend(Of(kHeads, kHeadDim), qkv.data(), offsets, some.data(), queries,
         [&](size_t begin, size_t end) {
           std::copy(some.begin() + static_cast<ptrdiff_t>(begin * kHidden),
                     some.begin() + static_cast<ptrdiff_t>(end * kHidden),
                     finished.begin() + static_cast<ptrdiff_t>(begin * kHidden));
         });
  for (size_t row = 0; row < std::size(kTokens); ++row) {
    for (size_t i = 0; i < kHidden; ++i) {
      ASSERT_EQ(static_cast<float>(some[row * kHidden + i]),
                static_cast<float>(all[kTokens[row] * kHidden + i]))
          << row << ", " << i;
    }
  }
  for (size_t i = 0; i < some.size(); ++i)
    ASSERT_EQ(static_cast<float>(finished[i]), static_cast<float>(some[i]));
}

TEST(PackedAttention, TakesSequencesWithoutTokens) {
  Attend<float>(Of(2, 32), nullptr, {0, 0}, nullptr);
  const std::vector<float> qkv = Random(3 * 3 * 64, 3);
  std::vector<float> alone(3 * 64);
  Attend(Of(2, 32), qkv.data(), {0, 3}, alone.data());
  std::vector<float> together(3 * 64);
  Attend(Of(2, 32), qkv.data(), {0, 0, 3, 3}, together.data());
  EXPECT_EQ(together, alone);
}

}  // namespace
}  // namespace embedding
