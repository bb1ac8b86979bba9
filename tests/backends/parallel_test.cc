// A request that memory does not suffice for is answered with an error: what a thread of the team
// throws has to reach the thread that called.

#include "backends/cpu/parallel.h"

#include <gtest/gtest.h>
#include <omp.h>

#include <atomic>
#include <new>

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
