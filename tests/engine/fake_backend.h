// A device whose computation is the test's, and what it may compute.
#pragma once

#include <functional>
#include <latch>
#include <memory>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "backends/backend.h"

namespace embedding {

class FakeBackend : public Backend {
 public:
  // What Session::Run is.
  using Compute = std::function<Status(const Batch& batch, BatchOutputs& outputs)>;

  FakeBackend(Limits limits, Compute compute, std::string name = "fake")
      : limits_(limits), compute_(std::move(compute)), name_(std::move(name)) {}

  Result<std::unique_ptr<Session>> Load(const Architecture& /*architecture*/,
                                        const Tensors& /*tensors*/, ComputeType /*type*/) override {
    return std::unique_ptr<Session>(std::make_unique<FakeSession>(limits_, compute_));
  }
  std::string_view device() const override { return name_; }
  std::string numerics() const override { return "exact"; }

 private:
  class FakeSession : public Session {
   public:
    FakeSession(Limits limits, Compute compute) : limits_(limits), compute_(std::move(compute)) {}

    Status Run(const Batch& batch, BatchOutputs& outputs) noexcept override {
      outputs.assign(batch.sequences(), {});
      return compute_(batch, outputs);
    }
    Limits limits() const override { return limits_; }
    std::string_view dtype() const override { return "f64"; }

   private:
    const Limits limits_;
    const Compute compute_;
  };

  const Limits limits_;
  const Compute compute_;
  const std::string name_;
};

// Each sequence's dense vector is its number of tokens, 128 times.
class CountingTokens {
 public:
  Status operator()(const Batch& batch, BatchOutputs& outputs) {
    vectors_.clear();
    for (size_t s = 0; s < batch.sequences(); ++s) {
      vectors_.emplace_back(128, static_cast<float>(batch.offsets[s + 1] - batch.offsets[s]));
    }
    for (size_t s = 0; s < batch.sequences(); ++s) outputs[s].dense = vectors_[s];
    return {};
  }

 private:
  std::vector<std::vector<float>> vectors_;
};

// What a device's first batch waits for; those after it do not.
class FirstBatchHangs {
 public:
  // Called by the device.
  void Wait() {
    if (std::exchange(has_hung_, true)) return;
    hangs_.count_down();
    released_.wait();
  }
  void AwaitHang() { hangs_.wait(); }
  void Release() { released_.count_down(); }

 private:
  bool has_hung_ = false;
  std::latch hangs_{1};
  std::latch released_{1};
};

}  // namespace embedding
