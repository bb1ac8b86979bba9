#include "http/worker_pool.h"

#include <gtest/gtest.h>

#include <atomic>
#include <future>
#include <memory>
#include <thread>

namespace embedding::http {
namespace {

TEST(WorkerPoolTest, RunsEveryTaskOnce) {
  constexpr int kTasks = 1000;
  std::atomic<int> runs = 0;
  std::promise<void> all_ran;
  WorkerPool pool(3);
  for (int i = 0; i < kTasks; ++i) {
    pool.Post([&] {
      if (++runs == kTasks) all_ran.set_value();
    });
  }
  all_ran.get_future().wait();
  EXPECT_EQ(runs, kTasks);
}

TEST(WorkerPoolTest, ATaskMayPostAnother) {
  std::promise<void> ran;
  WorkerPool pool(1);
  pool.Post([&] { pool.Post([&] { ran.set_value(); }); });
  ran.get_future().wait();
}

TEST(WorkerPoolTest, DestructionWaitsForTheTaskThatRunsAndDropsTheRest) {
  std::promise<void> started;
  std::promise<void> may_end;
  std::atomic<int> runs = 0;
  auto pool = std::make_unique<WorkerPool>(1);
  pool->Post([&] {
    started.set_value();
    may_end.get_future().wait();
    ++runs;
  });
  started.get_future().wait();
  auto resource = std::make_shared<int>(0);
  pool->Post([resource, &runs] { runs += 100; });
  std::thread destroyer([&pool] { pool.reset(); });
  may_end.set_value();
  destroyer.join();
  // The second task may have been begun before the destruction; either way it is gone.
  EXPECT_TRUE(runs == 1 || runs == 101);
  EXPECT_EQ(resource.use_count(), 1);
}

}  // namespace
}  // namespace embedding::http
