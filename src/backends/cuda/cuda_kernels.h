// The kernels of kernels/, compiled for one model on one GPU.
#pragma once

#include <array>
#include <cstddef>
#include <memory>
#include <string>
#include <utility>

#include "backends/cuda/cuda_device.h"
#include "embedding/device.h"

namespace embedding {

constexpr size_t BytesOf(ComputeType type) { return type == ComputeType::kF32 ? 4 : 2; }

// What the kernels are compiled for.
struct KernelOptions {
  ComputeType type = ComputeType::kF16;  // kF32, kF16 or kBF16
  size_t hidden_size = 0;
  size_t embedding_size = 0;  // of the embeddings' tables
  size_t head_dim = 0;
  // From which distance on keys share their relative bias; 0: there is none.
  size_t relative_distance = 0;
  size_t positions = 0;    // of disentangled attention; 0: it is none
  bool sees_part = false;  // whether some queries do not see all keys of their sequence

  size_t element_bytes() const { return BytesOf(type); }
  // Whether attention multiplies on the tensor cores; else it is a plain, slow kernel.
  bool on_tensor_cores() const;
  // Queries of a sequence that a warp of Attend computes, and the shared memory that a block takes.
  size_t warp_queries() const;
  size_t tile_keys() const;  // that a block holds at a time, twice
  size_t attention_shared_bytes() const;
};

// Of a block of Attend, at most.
constexpr size_t kAttentionWarps = 4;

// A program for the driver, of GPUs of that architecture (90: compute capability 9.0): machine
// code, or PTX where the compiler is older than the GPU. Errors: kDeviceUnavailable where there is
// no compiler; kInternal with what it printed.
Result<std::string> CompileKernels(const KernelOptions& options, int architecture);

// The __global__ functions, by their names in kernels/.
enum class Kernel {
  kEmbed,
  kNormalize,
  kActivate,
  kActivateF32,
  kGate,
  kGatherRows,
  kGatherRowsF32,
  kCombineExperts,
  kGateInputs,
  kAdd,
  kScale,
  kScaleRows,
  kFromF32,
  kToF32,
  kTurn,
  kPrepareHeads,
  kAttend,
  kPool,
  kPoolF32,
  kNormalizeF32,
  kAddF32,
  kNormalizeLengths,
  kWeighVocabulary,
};
constexpr size_t kKernels = 23;

struct Grid {
  size_t x = 1;
  size_t y = 1;
  size_t threads = 128;  // of a block
  size_t shared_bytes = 0;
};

// Of a kernel each of whose warps has a row.
constexpr Grid OneWarpARow(size_t rows) {
  constexpr size_t kWarps = 4;
  return {.x = (rows + kWarps - 1) / kWarps, .threads = kWarps * 32};
}

class CudaKernels {
 public:
  static Result<std::unique_ptr<CudaKernels>> Load(std::shared_ptr<const CudaDevice> device,
                                                   const KernelOptions& options);
  CudaKernels(const CudaKernels&) = delete;
  CudaKernels& operator=(const CudaKernels&) = delete;
  ~CudaKernels();

  const KernelOptions& options() const { return options_; }

  // The arguments must have the types of the kernel's parameters: int, float, uint64_t, CudaPointer
  // for pointers, and structures of these.
  template <typename... Arguments>
  Status Launch(Kernel kernel, const Grid& grid, CudaStream stream, Arguments... arguments) const {
    std::array<void*, sizeof...(Arguments)> pointers = {&arguments...};
    return LaunchWith(kernel, grid, stream, pointers.data());
  }

 private:
  CudaKernels(std::shared_ptr<const CudaDevice> device, const KernelOptions& options)
      : device_(std::move(device)), options_(options) {}
  Status LaunchWith(Kernel kernel, const Grid& grid, CudaStream stream, void** arguments) const;

  const std::shared_ptr<const CudaDevice> device_;
  const KernelOptions options_;
  CudaModule module_ = nullptr;
  std::array<CudaFunction, kKernels> functions_ = {};
};

}  // namespace embedding
