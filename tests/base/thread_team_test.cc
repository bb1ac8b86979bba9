#include "base/thread_team.h"

#include <gtest/gtest.h>

#include <atomic>
#include <future>
#include <vector>

namespace embedding {
namespace {

TEST(ThreadTeamTest, TheCallerSeesWhatEveryThreadDid) {
  ThreadTeam team(4);
  std::vector<size_t> done(team.size());
  for (size_t round = 0; round < 20'000; ++round) {
    std::atomic<size_t> taken = 0;
    team.Run(team.size(), [&](size_t thread) noexcept {
      while (taken++ < 8) ++done[thread];
    });
  }
  size_t sum = 0;
  for (const size_t n : done) sum += n;
  EXPECT_EQ(sum, 20'000U * 8);
  EXPECT_GT(done[0], 0U);
}

TEST(ThreadTeamTest, NoMoreThreadsBeginThanAreWanted) {
  ThreadTeam team(4);
  std::atomic<size_t> largest = 0;
  for (size_t round = 0; round < 10'000; ++round) {
    const size_t wanted = 1 + round % 4;
    team.Run(wanted, [&](size_t thread) noexcept {
      if (thread >= wanted) largest = thread + 100;
    });
  }
  EXPECT_EQ(largest, 0U);
}

// The other thread is never let on: the caller does all of the work, and ends.
TEST(ThreadTeamTest, WhoHasNotBegunIsNotWaitedFor) {
  ThreadTeam team(2);
  std::atomic<size_t> taken = 0;
  size_t sum = 0;
  team.Run(1, [&](size_t) noexcept {
    for (size_t i = taken++; i < 10; i = taken++) sum += i;
  });
  EXPECT_EQ(sum, 45U);
}

// Threads that have gone to sleep come back for the next Run.
TEST(ThreadTeamTest, SleepersWakeUp) {
  ThreadTeam team(2);
  for (int round = 0; round < 3; ++round) {
    std::promise<void> came;
    std::atomic<bool> told = false;
    team.Run(2, [&](size_t thread) noexcept {
      if (thread == 1 && !told.exchange(true)) came.set_value();
      if (thread == 0) came.get_future().wait();
    });
    EXPECT_TRUE(told);
  }
}

TEST(ThreadTeamTest, OneThreadIsATeamToo) {
  ThreadTeam team(1);
  size_t calls = 0;
  team.Run(3, [&](size_t thread) noexcept { calls += thread + 1; });
  EXPECT_EQ(calls, 1U);
}

TEST(ThreadTeamTest, WaitsForACounterAreWokenByWhoReachesIt) {
  ThreadTeam team(3);
  for (int round = 0; round < 2'000; ++round) {
    std::atomic<size_t> inside = 0;
    std::atomic<size_t> counter = 0;
    team.Run(3, [&](size_t thread) noexcept {
      ++inside;
      if (thread == 0) {
        counter = 1;
        counter.notify_all();
      } else {
        team.AwaitValue(thread, counter, 1);
      }
    });
    EXPECT_GE(inside, 1U);
  }
}

}  // namespace
}  // namespace embedding
