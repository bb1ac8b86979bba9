// A request that memory does not suffice for is answered with an error: what a thread of the team
// throws has to reach the thread that called.

#include "backends/cpu/parallel.h"

#include <gtest/gtest.h>
#include <omp.h>

#include <atomic>
#include <chrono>
#include <initializer_list>
#include <new>
#include <thread>

namespace embedding {
namespace {

class ParallelTest : public testing::TestWithParam<int> {
 protected:
  void SetUp() override { omp_set_num_threads(GetParam()); }
  void TearDown() override { omp_set_num_threads(threads_); }

 private:
  const int threads_ = omp_get_max_threads();
};

constexpr size_t kCount = 20;

TEST_P(ParallelTest, WhatATaskThrowsTheCallerGetsWhenTheOthersAreDone) {
  std::atomic<size_t> done{0};
  const auto task = [&](size_t i) {
    if (i % 7 == 3) throw std::bad_alloc();
    ++done;
  };
  EXPECT_THROW(ParallelFor(kCount, task), std::bad_alloc);
  EXPECT_EQ(done, kCount - 3);
  done = 0;
  EXPECT_THROW(ParallelForAhead(kCount, [&](size_t i, size_t) { task(i); }), std::bad_alloc);
  EXPECT_EQ(done, kCount - 3);
  EXPECT_THROW(ParallelRanges(kCount, 1, [](size_t, size_t) { throw std::bad_alloc(); }),
               std::bad_alloc);
}

// A row may be finished only when every task has written its part of it.
TEST_P(ParallelTest, FinishesEachRowOnceWhenAllTasksAreDone) {
  std::atomic<size_t> done{0};
  std::atomic<int> finished[kCount] = {};
  const auto finish = [&](size_t begin, size_t end) {
    EXPECT_EQ(done, kCount);
    for (size_t i = begin; i < end; ++i) ++finished[i];
  };
  const auto task = [&](size_t i) {
    if (i == 0) std::this_thread::sleep_for(std::chrono::milliseconds(2));
    ++done;
  };
  const auto expect = [&](size_t rows) {
    for (size_t i = 0; i < kCount; ++i) EXPECT_EQ(finished[i].exchange(0), i < rows ? 1 : 0) << i;
    done = 0;
  };
  for (const size_t rows : std::initializer_list<size_t>{1, 2, kCount}) {
    ParallelFor(kCount, task, rows, finish);
    expect(rows);
    const auto task_ahead = [&](size_t i, size_t) { task(i); };
    ParallelForAhead(kCount, task_ahead, rows, finish);
    expect(rows);
  }
}

TEST_P(ParallelTest, FinishesNothingWhereATaskFailed) {
  const auto fail = [](size_t) { throw std::bad_alloc(); };
  const auto never = [](size_t, size_t) { ADD_FAILURE() << "the rows are not whole"; };
  EXPECT_THROW(ParallelFor(1, fail, kCount, never), std::bad_alloc);
  const auto fail_to_finish = [](size_t, size_t) { throw std::bad_alloc(); };
  EXPECT_THROW(ParallelFor(
                   kCount, [](size_t) {}, kCount, fail_to_finish),
               std::bad_alloc);
}

TEST_P(ParallelTest, DoesEachTaskOnce) {
  std::atomic<int> times[kCount] = {};
  ParallelFor(kCount, [&](size_t i) { ++times[i]; });
  ParallelForAhead(kCount, [&](size_t i, size_t) { ++times[i]; });
  ParallelRanges(kCount, 1, [&](size_t begin, size_t end) {
    for (size_t i = begin; i < end; ++i) ++times[i];
  });
  for (const auto& n : times) EXPECT_EQ(n, 3);
}

INSTANTIATE_TEST_SUITE_P(Threads, ParallelTest, testing::Values(1, 3));

}  // namespace
}  // namespace embedding
