#include "engine/scheduler.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <functional>
#include <future>
#include <memory>
#include <string>
#include <thread>
#include <vector>

namespace embedding {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;

// A scheduler whose "computation" is to note what was in each batch, as "request:text" names, and
// to give each text the vector {its length in tokens}. The first batch waits for Release().
class SchedulerTest : public testing::Test {
 protected:
  void Start(size_t max_batch_tokens, size_t max_queue = 1000) {
    scheduler_ = std::make_unique<Scheduler>(
        Scheduler::Options{
            {.max_tokens = max_batch_tokens}, max_queue, nullptr, std::chrono::milliseconds(1)},
        std::vector<Scheduler::Device>{{[this](std::span<Job> batch) {
                                          if (!started_) {
                                            started_ = true;
                                            in_first_batch_.set_value();
                                            released_.get_future().wait();
                                          }
                                          if (in_batch_) in_batch_();
                                          std::string names;
                                          for (Job& job : batch) {
                                            if (!names.empty()) names += ' ';
                                            names += std::to_string(job.type_ids[0]) + ":" +
                                                     std::to_string(job.index);
                                            const float length = static_cast<float>(job.ids.size());
                                            SequenceOutputs outputs;
                                            outputs.dense = {&length, 1};
                                            job.request->Finish(job.index, outputs);
                                          }
                                          batches_.push_back(names);
                                          return works_;
                                        },
                                        [this] {
                                          if (++checks_ == 3) mended_.set_value();
                                          return checks_ >= 3;
                                        }}});
    queue_ = scheduler_.get();
  }

  // Occupies the computing thread, so that what is submitted next waits together.
  void Block() {
    Submit(0, {1});
    in_first_batch_.get_future().wait();
  }
  void Release() { released_.set_value(); }

  // A request with texts of the given lengths in tokens.
  std::future<Result<EmbedResponse>> Submit(int32_t name, const std::vector<size_t>& lengths,
                                            EmbedRequest request = {},
                                            const std::string& client = {}) {
    auto answer = std::make_shared<std::promise<Result<EmbedResponse>>>();
    request.texts.resize(lengths.size());
    request.normalize = false;
    EmbedResponse response;
    response.dimension = 1;
    const auto pending = std::make_shared<PendingRequest>(
        request, /*labels=*/0, std::move(response),
        [answer](Result<EmbedResponse> result) { answer->set_value(std::move(result)); });
    std::vector<Job> jobs;
    for (size_t i = 0; i < lengths.size(); ++i) {
      jobs.push_back(
          {std::vector<int32_t>(lengths[i]), std::vector<int32_t>(lengths[i], name), pending, i});
    }
    if (Status status = queue_->Submit(std::move(jobs), client); !status.ok()) {
      answer->set_value(std::move(status).error());
    }
    return answer->get_future();
  }

  std::promise<void> in_first_batch_;
  std::promise<void> released_;
  bool started_ = false;
  std::function<void()> in_batch_;
  bool works_ = true;  // what the device does
  int checks_ = 0;     // the third finds it mended
  std::promise<void> mended_;
  std::vector<std::string> batches_;
  Scheduler* queue_ = nullptr;            // scheduler_, while it is destroyed too
  std::unique_ptr<Scheduler> scheduler_;  // last: its thread uses the rest
};

TEST_F(SchedulerTest, AnswersWithTheVectorsInTheOrderOfTheTexts) {
  Start(10);
  Block();
  auto answer = Submit(1, {3, 4, 9, 5});
  Release();
  EXPECT_THAT(answer.get()->embeddings, ElementsAre(3, 4, 9, 5));
}

TEST_F(SchedulerTest, CutsBatchesByTokens) {
  Start(10);
  Block();
  auto answer = Submit(1, {5, 5, 1, 9, 25, 2});
  Release();
  ASSERT_TRUE(answer.get().ok());
  scheduler_.reset();
  EXPECT_THAT(batches_, ElementsAre("0:0", "1:0 1:1", "1:2 1:3", "1:4", "1:5"));
}

TEST_F(SchedulerTest, ALargeRequestDoesNotHoldUpASmallOne) {
  Start(4);
  Block();
  auto large = Submit(1, {1, 1, 1, 1, 1, 1, 1, 1});
  auto small = Submit(2, {1});
  auto medium = Submit(3, {1, 1});
  Release();
  ASSERT_TRUE(large.get().ok());
  ASSERT_TRUE(small.get().ok());
  ASSERT_TRUE(medium.get().ok());
  scheduler_.reset();
  EXPECT_THAT(batches_, ElementsAre("0:0", "1:0 2:0 3:0 1:1", "3:1 1:2 1:3 1:4", "1:5 1:6 1:7"));
}

TEST_F(SchedulerTest, ClientsTakeTurnsWhateverEachHasWaiting) {
  Start(4);
  Block();
  std::vector<std::future<Result<EmbedResponse>>> answers;
  for (int32_t name = 1; name <= 6; ++name) answers.push_back(Submit(name, {1}, {}, "many"));
  answers.push_back(Submit(7, {1, 1, 1}, {}, "few"));
  answers.push_back(Submit(8, {1}, {}, "one"));
  Release();
  for (auto& answer : answers) ASSERT_TRUE(answer.get().ok());
  scheduler_.reset();
  // Within a client its requests take turns; who has had a turn goes to the end.
  EXPECT_THAT(batches_, ElementsAre("0:0", "1:0 7:0 8:0 2:0", "7:1 3:0 7:2 4:0", "5:0 6:0"));
}

TEST_F(SchedulerTest, AClientWithAHundredRequestsDoesNotPushBackOneWithOne) {
  Start(2);
  Block();
  std::vector<std::future<Result<EmbedResponse>>> answers;
  for (int32_t name = 1; name <= 100; ++name) answers.push_back(Submit(name, {1}, {}, "many"));
  answers.push_back(Submit(101, {1}, {}, "one"));
  Release();
  for (auto& answer : answers) ASSERT_TRUE(answer.get().ok());
  scheduler_.reset();
  EXPECT_EQ(batches_[1], "1:0 101:0");
}

TEST_F(SchedulerTest, AClientThatHasLeftTakesNoTurns) {
  Start(2);
  Block();
  EmbedRequest cancellable;
  auto cancelled = std::make_shared<std::atomic<bool>>(true);
  cancellable.cancelled = cancelled;
  std::vector<std::future<Result<EmbedResponse>>> gone;
  for (int32_t name = 1; name <= 3; ++name) {
    gone.push_back(Submit(name, {1, 1}, cancellable, "gone"));
  }
  auto first = Submit(4, {1, 1, 1}, {}, "here");
  auto second = Submit(5, {1}, {}, "gone");
  Release();
  for (auto& answer : gone) EXPECT_EQ(answer.get().error().code, ErrorCode::kCancelled);
  EXPECT_TRUE(first.get().ok());
  EXPECT_TRUE(second.get().ok());
  scheduler_.reset();
  EXPECT_THAT(batches_, ElementsAre("0:0", "5:0 4:0", "4:1 4:2"));
}

// Among the first texts of all requests, which may fill a batch; the second ones may not.
TEST_F(SchedulerTest, SmallRequestsOfOneClientBesideALargeOneOfAnother) {
  Start(2048);
  Block();
  std::vector<std::future<Result<EmbedResponse>>> answers;
  answers.push_back(Submit(1, std::vector<size_t>(6, 100), {}, "large"));
  for (int32_t name = 2; name <= 5; ++name) answers.push_back(Submit(name, {50}, {}, "small"));
  Release();
  for (auto& answer : answers) ASSERT_TRUE(answer.get().ok());
  scheduler_.reset();
  EXPECT_THAT(batches_, ElementsAre("0:0", "1:0 2:0 1:1 3:0", "1:2 4:0 1:3 5:0", "1:4 1:5"));
}

TEST_F(SchedulerTest, WhileSmallRequestsComeBatchesAreCutSmaller) {
  ASSERT_EQ(Scheduler::kSharedBatchTokens, 256U);
  Start(2048);
  Block();
  auto large = Submit(1, std::vector<size_t>(40, 100));
  auto small = Submit(2, {10});
  Release();
  ASSERT_TRUE(large.get().ok());
  ASSERT_TRUE(small.get().ok());
  scheduler_.reset();
  ASSERT_GE(batches_.size(), 4U);
  EXPECT_EQ(batches_[1], "1:0 2:0 1:1");
  EXPECT_EQ(batches_[2], "1:2 1:3");                       // more small ones may be on their way
  EXPECT_THAT(batches_[9], HasSubstr("1:16 1:17 1:18 "));  // none came
  EXPECT_THAT(batches_[9], HasSubstr(" 1:35"));
}

TEST_F(SchedulerTest, LargeRequestsAloneGetFullBatches) {
  Start(2048);
  Block();
  auto one = Submit(1, std::vector<size_t>(20, 100));
  auto other = Submit(2, std::vector<size_t>(20, 100));
  Release();
  ASSERT_TRUE(one.get().ok());
  ASSERT_TRUE(other.get().ok());
  scheduler_.reset();
  EXPECT_EQ(batches_.size(), 3U);
}

TEST_F(SchedulerTest, AFailedDeviceIsCheckedUntilItWorksAlthoughNobodyAsks) {
  works_ = false;
  Start(10);
  auto answer = Submit(1, {1});
  Release();
  ASSERT_TRUE(answer.get().ok());
  mended_.get_future().wait();
  works_ = true;
  ASSERT_TRUE(Submit(2, {1}).get().ok());
  scheduler_.reset();
  EXPECT_EQ(checks_, 3);
}

TEST_F(SchedulerTest, RefusesWhatWouldExceedTheQueueAndKeepsTheRest) {
  Start(10, 3);
  Block();
  auto fits = Submit(1, {1, 1});
  auto too_many = Submit(2, {1, 1});
  auto fits_too = Submit(3, {1});
  Release();
  const auto refused = too_many.get();
  ASSERT_FALSE(refused.ok());
  EXPECT_EQ(refused.error().code, ErrorCode::kOverloaded);
  EXPECT_THAT(refused.error().message, HasSubstr("2 texts wait"));
  EXPECT_TRUE(fits.get().ok());
  EXPECT_TRUE(fits_too.get().ok());
}

// Trying again later would not help.
TEST_F(SchedulerTest, RefusesWhatNoEmptyQueueTakes) {
  Start(10, 3);
  const auto refused = Submit(1, {1, 1, 1, 1}).get();
  ASSERT_FALSE(refused.ok());
  EXPECT_EQ(refused.error().code, ErrorCode::kInvalidArgument);
  EXPECT_THAT(refused.error().message, HasSubstr("4 texts"));
  EXPECT_THAT(refused.error().message, HasSubstr("--max-queue"));
  auto fits = Submit(2, {1, 1, 1});
  Release();
  EXPECT_TRUE(fits.get().ok());
}

TEST_F(SchedulerTest, DropsWhatNobodyWaitsFor) {
  Start(10);
  Block();
  auto cancelled = std::make_shared<std::atomic<bool>>(false);
  EmbedRequest cancellable;
  cancellable.cancelled = cancelled;
  EmbedRequest late;
  late.deadline = std::chrono::steady_clock::now();
  auto first = Submit(1, {1, 1}, cancellable);
  auto second = Submit(2, {1}, late);
  auto third = Submit(3, {1});
  cancelled->store(true);
  Release();
  EXPECT_EQ(first.get().error().code, ErrorCode::kCancelled);
  EXPECT_EQ(second.get().error().code, ErrorCode::kTimeout);
  EXPECT_TRUE(third.get().ok());
  scheduler_.reset();
  EXPECT_THAT(batches_, ElementsAre("0:0", "3:0"));
}

// Each batch submits the next request: one waits whenever the end comes.
TEST_F(SchedulerTest, DestructionAnswersWhatWaits) {
  std::vector<std::future<Result<EmbedResponse>>> answers;
  in_batch_ = [&] { answers.push_back(Submit(1, {1})); };
  Start(1);
  Block();
  Release();
  scheduler_.reset();
  ASSERT_FALSE(answers.empty());
  EXPECT_EQ(answers.back().get().error().code, ErrorCode::kUnavailable);
  answers.pop_back();
  for (auto& answer : answers) EXPECT_TRUE(answer.get().ok());
}

TEST_F(SchedulerTest, ComesRoundWhileItWaitsAndNotWhileItHangs) {
  Start(100);
  const uint64_t before = queue_->Turns();
  while (queue_->Turns() == before) std::this_thread::yield();
  auto first = Submit(0, {1});
  in_first_batch_.get_future().wait();
  const uint64_t hanging = queue_->Turns();
  EXPECT_EQ(queue_->Turns(), hanging);
  Release();
  EXPECT_TRUE(first.get().ok());
  while (queue_->Turns() == hanging) std::this_thread::yield();
}

}  // namespace
}  // namespace embedding
