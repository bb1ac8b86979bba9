// A device whose computation is the test's.
#pragma once

#include <functional>
#include <memory>
#include <string>
#include <string_view>
#include <utility>

#include "backends/backend.h"

namespace embedding {

class FakeBackend : public Backend {
 public:
  // What Session::Run is.
  using Compute = std::function<Status(const Batch& batch, BatchOutputs& outputs)>;

  FakeBackend(Limits limits, Compute compute) : limits_(limits), compute_(std::move(compute)) {}

  Result<std::unique_ptr<Session>> Load(const Architecture& /*architecture*/,
                                        const Tensors& /*tensors*/, ComputeType /*type*/) override {
    return std::unique_ptr<Session>(std::make_unique<FakeSession>(limits_, compute_));
  }
  std::string_view device() const override { return "fake"; }
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
};

}  // namespace embedding
