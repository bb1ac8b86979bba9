#include "backends/mlx/mlx_session.h"

#include <mlx/mlx.h>

#include <algorithm>
#include <cmath>
#include <exception>
#include <iterator>
#include <new>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "backends/f16_range.h"
#include "backends/mlx/mlx_encoder.h"
#include "backends/mlx/mlx_heads.h"
#include "backends/wanted_tokens.h"
#include "base/mutex.h"

namespace embedding {

namespace mx = mlx::core;

namespace {

// A GPU wants many tokens at once; a CPU computes a larger batch no faster.
constexpr size_t kMaxBatchTokensOfGpu = 16384;
constexpr size_t kMaxBatchTokensOfCpu = 2048;

// One session loads or computes at a time: MLX's default device, which whatever is computed reads,
// is the whole process's, and the streams that any thread may use stand in a table without a lock.
Mutex& MutexOfMlx() {
  static Mutex mutex;
  return mutex;
}

// A device's, which all of its sessions use: MLX keeps every stream that was made until the process
// ends. One that any thread may use: models are loaded by one and computed by another. Under the
// mutex.
mx::Stream StreamOf(mx::Device device) {
  static std::vector<mx::Stream> streams;
  for (const mx::Stream& stream : streams) {
    if (stream.device == device) return stream;
  }
  streams.push_back(mx::new_thread_unsafe_stream(device));
  return streams.back();
}

// MLX has no type of exception for it: "[metal::malloc] Attempting to allocate ...", "[malloc]
// Unable to allocate ...", "cudaMallocAsync(...) failed: out of memory", "[METAL] Command buffer
// execution failed: Insufficient Memory (...)".
bool SaysOutOfMemory(std::string_view what) {
  constexpr std::string_view kWords[] = {"malloc]", "out of memory", "Insufficient Memory"};
  return std::any_of(std::begin(kWords), std::end(kWords), [what](std::string_view words) {
    return what.find(words) != std::string_view::npos;
  });
}

mx::Dtype DtypeOf(ComputeType type) {
  switch (type) {
    case ComputeType::kF16:
      return mx::float16;
    case ComputeType::kBF16:
      return mx::bfloat16;
    default:
      return mx::float32;
  }
}

class MlxSession : public Session {
 public:
  MlxSession(const Architecture& architecture, const Tensors& tensors, ComputeType type,
             mx::Device device, bool compiled)
      : heads_of_model_(architecture.heads), type_(type), stream_(StreamOf(device)) {
    const mx::StreamContext context(stream_);
    encoder_.emplace(architecture.encoder, tensors.encoder, DtypeOf(type), compiled);
    heads_.emplace(architecture.heads, tensors.heads);
  }

  Status Run(const Batch& batch, BatchOutputs& outputs) noexcept override;
  Limits limits() const override {
    const bool is_gpu = stream_.device == mx::Device::gpu;
    return {.max_tokens = is_gpu ? kMaxBatchTokensOfGpu : kMaxBatchTokensOfCpu};
  }
  std::string_view dtype() const override {
    return type_ == ComputeType::kF16 ? "f16" : type_ == ComputeType::kBF16 ? "bf16" : "f32";
  }

 private:
  void Compute(const Batch& batch, BatchOutputs& outputs);

  const Heads heads_of_model_;
  const ComputeType type_;
  const mx::Stream stream_;
  std::optional<MlxEncoder> encoder_;
  std::optional<MlxHeads> heads_;

  // Of the batch that is computed.
  std::vector<TokenRange> wanted_;
  std::vector<uint32_t> row_begins_;
};

void MlxSession::Compute(const Batch& batch, BatchOutputs& outputs) {
  wanted_.clear();
  row_begins_.assign(1, 0);
  for (size_t s = 0; s < batch.sequences(); ++s) {
    const uint32_t tokens = batch.offsets[s + 1] - batch.offsets[s];
    wanted_.push_back(
        WantedTokens(heads_of_model_, batch.wanted[s], tokens, batch.first_pooled_of(s)));
    row_begins_.push_back(row_begins_.back() + wanted_.back().size());
  }
  heads_->Run(batch, {encoder_->Run(batch, wanted_), row_begins_}, outputs);
}

Status MlxSession::Run(const Batch& batch, BatchOutputs& outputs) noexcept {
  try {
    const MutexLock lock(MutexOfMlx());
    const mx::StreamContext context(stream_);
    Compute(batch, outputs);
    return {};
  } catch (const std::bad_alloc&) {
    return Error{ErrorCode::kOutOfMemory, "out of memory", {}};
  } catch (const std::exception& e) {
    try {
      const std::string what = e.what();
      const bool is_memory = SaysOutOfMemory(what);
      return Error{is_memory ? ErrorCode::kOutOfMemory : ErrorCode::kInternal,
                   "computing with MLX failed: " + what,
                   {}};
    } catch (const std::exception&) {
      return Error{ErrorCode::kOutOfMemory, "out of memory", {}};
    }
  }
}

}  // namespace

Result<std::unique_ptr<Session>> MakeMlxSession(const Architecture& architecture,
                                                const Tensors& tensors, ComputeType type,
                                                mx::Device device, bool compiled) {
  const auto load = [&](ComputeType each) -> Result<std::unique_ptr<Session>> {
    const MutexLock lock(MutexOfMlx());
    return std::unique_ptr<Session>(
        std::make_unique<MlxSession>(architecture, tensors, each, device, compiled));
  };
  if (type == ComputeType::kAuto && device != mx::Device::gpu) return load(ComputeType::kF32);
  return LoadInF16OrWider(architecture, type, load);
}

}  // namespace embedding
