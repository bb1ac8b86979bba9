#include "backends/vector_heads.h"

#include <gtest/gtest.h>

#include <cstdint>
#include <vector>

#include "backends/against_cpu.h"
#include "backends/architecture_kinds.h"
#include "backends/random_model.h"

namespace embedding {
namespace {

TEST(VectorHeads, AClassifiersLayersAreModules) {
  Heads heads;
  heads.classifier = Classifier{.labels = 3, .dense = Activation::kGelu, .norm = Norm{.eps = 1}};
  const RandomModel model(Of(kPlain, heads));
  const auto made = VectorHeadsOf(heads, model.tensors().heads);
  ASSERT_EQ(made.size(), 1U);
  EXPECT_EQ(made[0].wants, &Outputs::logits);
  EXPECT_TRUE(made[0].vector.token_modules.empty());
  ASSERT_EQ(made[0].vector.modules.size(), 3U);
  ASSERT_EQ(made[0].modules.size(), 3U);
  EXPECT_EQ(std::get<DenseModule>(made[0].vector.modules[0]).activation, Activation::kGelu);
  EXPECT_EQ(std::get<LayerNormModule>(made[0].vector.modules[1]).norm.eps, 1);
  EXPECT_EQ(std::get<DenseModule>(made[0].vector.modules[2]).activation, Activation::kIdentity);
  EXPECT_EQ(made[0].vector.dimension(kPlain.hidden_size), 3U);
}

TEST(VectorHeads, ThoseBeforeThePoolingAreModulesOfTokens) {
  Heads heads;
  heads.classifier = Classifier{.labels = 3, .pools_late = true, .norm = Norm{}};
  const RandomModel model(Of(kPlain, heads));
  const auto made = VectorHeadsOf(heads, model.tensors().heads);
  EXPECT_EQ(made[0].vector.token_modules.size(), 2U);
  EXPECT_EQ(made[0].token_modules.size(), 2U);
  EXPECT_EQ(made[0].vector.modules.size(), 1U);
  EXPECT_EQ(made[0].modules.size(), 1U);
}

TEST(VectorHeads, APromptIsNotPooledWhereTheModelSaysSo) {
  const std::vector<int32_t> ids(9, 7);
  const std::vector<uint32_t> offsets = {0, 4, 4, 9};
  const std::vector<Outputs> wanted(3, Outputs{.dense = true});
  const std::vector<uint32_t> first_pooled = {0, 0, 3};
  const Batch batch = {ids, ids, offsets, wanted, first_pooled};
  VectorHead head;
  const std::vector<PooledRows> all = {{0, 0, 4}, {4, 4, 4}, {4, 4, 9}};
  EXPECT_EQ(RowsToPool(head, batch, offsets), all);
  head.vector.pools_prompt = false;
  const std::vector<PooledRows> behind = {{0, 0, 4}, {4, 4, 4}, {4, 7, 9}};
  EXPECT_EQ(RowsToPool(head, batch, offsets), behind);
}

TEST(VectorHeads, TheLastTokenIsTheLastThatIsNotPadding) {
  const std::vector<int32_t> ids = {5, 6, 0, 0, 0, 0, 5, 0, 6};
  const std::vector<uint32_t> offsets = {0, 4, 6, 9};
  const std::vector<Outputs> wanted(3, Outputs{.logits = true});
  const Batch batch = {ids, ids, offsets, wanted};
  VectorHead head;
  head.padding_id = 0;
  head.vector.pooling = {Pooling::kLastToken};
  const std::vector<PooledRows> last = {{0, 0, 2}, {4, 4, 5}, {6, 6, 9}};
  EXPECT_EQ(RowsToPool(head, batch, offsets), last);
  head.vector.pooling = {Pooling::kMean};  // of all
  const std::vector<PooledRows> all = {{0, 0, 4}, {4, 4, 6}, {6, 6, 9}};
  EXPECT_EQ(RowsToPool(head, batch, offsets), all);
}

}  // namespace
}  // namespace embedding
