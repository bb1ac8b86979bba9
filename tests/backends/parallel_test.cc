// A request that memory does not suffice for is answered with an error: what a thread of the team
// throws has to reach the thread that called.

#include "backends/cpu/parallel.h"

#include <gtest/gtest.h>

#include <atomic>
#include <initializer_list>
#include <new>
#include <thread>
#include <vector>

#include "backends/team.h"

namespace embedding {
namespace {

class ParallelTest : public testing::TestWithParam<size_t> {
 protected:
  ThreadTeam& team_ = TeamOf(GetParam());
};

constexpr size_t kCount = 20;

TEST_P(ParallelTest, WhatATaskThrowsTheCallerGetsWhenTheOthersAreDone) {
  std::atomic<size_t> done{0};
  const auto task = [&](size_t i) {
    if (i % 7 == 3) throw std::bad_alloc();
    ++done;
  };
  EXPECT_THROW(ParallelFor(team_, kCount, task), std::bad_alloc);
  EXPECT_EQ(done, kCount - 3);
  EXPECT_THROW(ParallelRanges(team_, kCount, 1, [](size_t, size_t) { throw std::bad_alloc(); }),
               std::bad_alloc);
}

// A row may be finished only when every task has written its part of it.
TEST_P(ParallelTest, FinishesEachRowOnceWhenAllTasksAreDone) {
  for (int round = 0; round < 1000; ++round) {
    std::atomic<size_t> done{0};
    std::atomic<int> finished[kCount] = {};
    const auto epilogue = [&](size_t begin, size_t end) {
      EXPECT_EQ(done, kCount);
      for (size_t i = begin; i < end; ++i) ++finished[i];
    };
    const auto task = [&](size_t i) {
      if (i == 0) std::this_thread::yield();
      ++done;
    };
    for (const size_t rows : std::initializer_list<size_t>{1, 2, kCount}) {
      done = 0;
      ParallelFor(team_, kCount, task, rows, epilogue);
      for (size_t i = 0; i < kCount; ++i) {
        EXPECT_EQ(finished[i].exchange(0), i < rows ? 1 : 0) << i;
      }
    }
  }
}

TEST_P(ParallelTest, FinishesNothingWhereATaskFailed) {
  const auto fail = [](size_t) { throw std::bad_alloc(); };
  const auto never = [](size_t, size_t) { ADD_FAILURE() << "the rows are not whole"; };
  EXPECT_THROW(ParallelFor(team_, 1, fail, kCount, never), std::bad_alloc);
  const auto fail_to_finish = [](size_t, size_t) { throw std::bad_alloc(); };
  EXPECT_THROW(ParallelFor(
                   team_, kCount, [](size_t) {}, kCount, fail_to_finish),
               std::bad_alloc);
}

TEST_P(ParallelTest, DoesEachTaskOnce) {
  for (const size_t count : std::initializer_list<size_t>{1, 2, kCount, 1000}) {
    std::vector<std::atomic<int>> times(count);
    ParallelFor(team_, count, [&](size_t i) { ++times[i]; });
    std::vector<size_t> left(team_.size());  // what each thread has done and not ended
    const auto task = [&](size_t i, size_t next, size_t thread) {
      EXPECT_LT(next, count);
      ASSERT_LT(thread, team_.size());
      ++times[i];
      ++left[thread];
    };
    ParallelForAhead(team_, team_.size(), count, task, [&](size_t thread) {
      EXPECT_GT(left[thread], 0U);
      left[thread] = 0;
    });
    EXPECT_EQ(left, std::vector<size_t>(team_.size()));
    ParallelRanges(team_, count, 1, [&](size_t begin, size_t end) {
      for (size_t i = begin; i < end; ++i) ++times[i];
    });
    for (const auto& n : times) EXPECT_EQ(n, 3);
  }
}

INSTANTIATE_TEST_SUITE_P(Threads, ParallelTest, testing::Values(1, 2, 3));

TEST(SharedRangeTest, WhoIsThereTakesWhatOthersHaveNotBegun) {
  SharedRange range(10, 2);
  std::vector<size_t> taken;
  size_t number = 0;
  size_t next = 0;
  ASSERT_TRUE(range.Take(1, number, next));
  EXPECT_EQ(number, 5U);
  EXPECT_EQ(next, 6U);
  // Thread 1 is put aside in the midst of 5. Thread 0 does all else, its own first.
  while (range.Take(0, number, next)) taken.push_back(number);
  EXPECT_EQ(taken, (std::vector<size_t>{0, 1, 2, 3, 4, 9, 8, 7, 6}));
  EXPECT_FALSE(range.Take(1, number, next));
}

}  // namespace
}  // namespace embedding
