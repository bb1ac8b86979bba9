#include "base/normalize.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <vector>

namespace embedding {
namespace {

using testing::ElementsAre;
using testing::FloatEq;

TEST(NormalizeL2, GivesLengthOneAndLeavesZeroAlone) {
  std::vector<float> vector{3, 4};
  NormalizeL2(vector);
  EXPECT_THAT(vector, ElementsAre(FloatEq(0.6F), FloatEq(0.8F)));
  std::vector<float> zero{0, 0};
  NormalizeL2(zero);
  EXPECT_THAT(zero, ElementsAre(0, 0));
}

}  // namespace
}  // namespace embedding
